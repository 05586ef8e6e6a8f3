// The app's own keys. Each is made by the first deployment and never replaced by a later one: `onlyIfNotExists` looks
// whether the secret is there. (One that was deleted is kept for 90 days, and until it is recovered the deployment fails.)
param token string
param location string
param tags object
param private bool
param purgeProtection bool
param appPrincipalId string
param streamsPrincipalId string

@secure()
param randomA string

@secure()
param randomB string

@secure()
param randomC string

var roles = loadJsonContent('../roles.json')

resource vault 'Microsoft.KeyVault/vaults@2026-05-15' = {
  name: 'kv-${token}'
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: purgeProtection ? true : null // it can be turned on, and never off
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: private ? 'Deny' : 'Allow'
    }
  }
}

// Base64 of 116 bytes, 366 of whose bits are random.
@onlyIfNotExists()
resource signingKey 'Microsoft.KeyVault/vaults/secrets@2026-05-15' = {
  parent: vault
  name: 'callback-signing-key'
  properties: { value: base64('signing ${randomA}') }
}

@onlyIfNotExists()
resource hashKey 'Microsoft.KeyVault/vaults/secrets@2026-05-15' = {
  parent: vault
  name: 'number-hash-key'
  properties: { value: base64('hashing ${randomB}') }
}

// AES-256 takes 32 bytes: 43 hexadecimal digits, read as base64. More than 160 of the bits are random.
@onlyIfNotExists()
resource secretsKey 'Microsoft.KeyVault/vaults/secrets@2026-05-15' = {
  parent: vault
  name: 'secrets-key'
  properties: { value: '${substring(replace(randomC, '-', ''), 0, 43)}=' }
}

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principal in [appPrincipalId, streamsPrincipalId]: {
    name: guid(vault.id, principal, roles.keyVaultSecretsUser)
    scope: vault
    properties: {
      principalId: principal
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    }
  }
]

output id string = vault.id
output name string = vault.name
output uri string = vault.properties.vaultUri
output signingKeyUri string = '${vault.properties.vaultUri}secrets/${signingKey.name}'
