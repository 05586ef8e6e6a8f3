// Private endpoints of the storage account and the vault, with the zones that name them.
param token string
param location string
param tags object
param networkId string
param subnetId string
param storageId string
param vaultId string

var storageHost = environment().suffixes.storage

var targets = [
  { group: 'blob', id: storageId, zone: 'privatelink.blob.${storageHost}' }
  { group: 'queue', id: storageId, zone: 'privatelink.queue.${storageHost}' }
  { group: 'table', id: storageId, zone: 'privatelink.table.${storageHost}' }
  { group: 'vault', id: vaultId, zone: 'privatelink.vaultcore.azure.net' }
]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for target in targets: {
    name: target.zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (target, index) in targets: {
    parent: zones[index]
    name: 'switchboard'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: networkId }
    }
  }
]

resource endpoints 'Microsoft.Network/privateEndpoints@2026-03-01' = [
  for target in targets: {
    name: 'pep-${target.group}-${token}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        {
          name: target.group
          properties: { privateLinkServiceId: target.id, groupIds: [target.group] }
        }
      ]
    }
  }
]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2026-03-01' = [
  for (target, index) in targets: {
    parent: endpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: target.group, properties: { privateDnsZoneId: zones[index].id } }]
    }
    dependsOn: [links]
  }
]
