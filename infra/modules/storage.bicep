// One account: calls, archives, queues, the app's package. No shared keys, nothing public.
param token string
param location string
param tags object
param zoneRedundant bool
param private bool
param storePrefix string
param archiveDays int
param callRetentionDays int
param recordingRetentionDays int
param appPrincipalId string
param streamsPrincipalId string
param workspaceId string

var roles = loadJsonContent('../roles.json')

// Never sooner than the app would; and not at all where the app keeps for ever.
var sweeps = archiveDays > 0 && callRetentionDays > 0 && recordingRetentionDays > 0
var sweepDays = max(archiveDays, callRetentionDays + 60, recordingRetentionDays + 60)

resource account 'Microsoft.Storage/storageAccounts@2026-09-01' = {
  name: 'st${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: private ? 'Deny' : 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-09-01' = {
  parent: account
  name: 'default'
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2026-09-01' = {
  parent: account
  name: 'default'
}

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-09-01' = {
  parent: blobs
  name: 'app-package'
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-09-01' = {
  parent: blobs
  name: 'event-dead-letters'
}

// The app deletes what it knows of after its own days; these rules catch what it does not know any more.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2026-09-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'archives'
          enabled: sweeps
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob', 'appendBlob']
              prefixMatch: ['${storePrefix}-calls/', '${storePrefix}-streams/', '${storePrefix}-recordings/']
            }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: sweepDays } } }
          }
        }
        {
          name: 'dead-letters-and-uploads'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['event-dead-letters/', '${storePrefix}-outreach/', '${storePrefix}-outreach-in/']
            }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 30 } } }
          }
        }
      ]
    }
  }
}

// What is put into a poison queue; alerts/poison-messages.kql reads it.
resource queueLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'queue-writes'
  scope: queues
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'StorageWrite', enabled: true }]
  }
}

var assigned = [
  { principal: appPrincipalId, role: roles.storageBlobDataOwner }
  { principal: appPrincipalId, role: roles.storageQueueDataContributor }
  { principal: appPrincipalId, role: roles.storageTableDataContributor }
  { principal: streamsPrincipalId, role: roles.storageBlobDataContributor }
]

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for one in assigned: {
    name: guid(account.id, one.principal, one.role)
    scope: account
    properties: {
      principalId: one.principal
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', one.role)
    }
  }
]

output id string = account.id
output name string = account.name
output packageContainer string = packages.name
output deadLetterContainer string = deadLetters.name
