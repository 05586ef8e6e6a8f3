// The function app on Flex Consumption, and its settings: docs/settings.md.
param token string
param name string
param location string
param tags object
param instanceMemory int
param httpConcurrency int
param maximumInstances int
param readyForCallbacks int
param readyForCalls int
param updateStrategy string
param zoneRedundant bool
param subnetId string
param identityId string
param identityClientId string
param storageName string
param packageContainer string
param storePrefix string
param insightsName string
param vaultUri string
param previousKeys string
param acsId string
param acsHostName string
param acsResourceId string
param cognitiveServicesEndpoint string
param transcripts bool
param transcriptionLocale string
param eventsTopicEndpoint string
param callbackBaseUrl string
param streamsUrl string
param callRetentionDays int
param recordingRetentionDays int
param moreSettings object

resource storage 'Microsoft.Storage/storageAccounts@2026-09-01' existing = {
  name: storageName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2025-05-01' = {
  name: 'plan-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

var forCallbacks = [{ name: 'http', instanceCount: readyForCallbacks }]
var forCalls = [{ name: 'function:incoming_call', instanceCount: readyForCalls }]

resource app 'Microsoft.Web/sites@2025-05-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: { minTlsVersion: '1.2' }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: { name: 'python', version: '3.12' }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemory
        maximumInstanceCount: maximumInstances
        alwaysReady: (readyForCallbacks > 0) ? concat(forCallbacks, forCalls) : forCalls
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
      siteUpdateStrategy: { type: updateStrategy }
    }
  }
}

var fixedSettings = {
  // the host's and the app's storage, by identity
  AzureWebJobsStorage__accountName: storage.name
  AzureWebJobsStorage__blobServiceUri: storage.properties.primaryEndpoints.blob
  AzureWebJobsStorage__queueServiceUri: storage.properties.primaryEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: storage.properties.primaryEndpoints.table
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AZURE_CLIENT_ID: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  PYTHON_THREADPOOL_THREAD_COUNT: '32'
  ACS_ENDPOINT: 'https://${acsHostName}'
  ACS_RESOURCE_ID: acsResourceId
  EVENT_GRID_TOPIC: acsId
  CALLBACK_BASE_URL: callbackBaseUrl
  CALLBACK_SIGNING_KEY: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/callback-signing-key)'
  NUMBER_HASH_KEY: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/number-hash-key)'
  SECRETS_KEY: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/secrets-key)'
  STORE_PREFIX: storePrefix
  COGNITIVE_SERVICES_ENDPOINT: cognitiveServicesEndpoint
  EVENTS_TOPIC_ENDPOINT: eventsTopicEndpoint
  STREAMS_URL: streamsUrl
  CALL_RETENTION_DAYS: string(callRetentionDays)
  RECORDING_RETENTION_DAYS: string(recordingRetentionDays)
  TRANSCRIPTION_ENDPOINT: transcripts ? cognitiveServicesEndpoint : ''
  TRANSCRIPTION_LOCALE: transcriptionLocale
}

var previousSigning = contains(previousKeys, 'CALLBACK_SIGNING_KEY') ? {
  CALLBACK_SIGNING_KEY_PREVIOUS: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/callback-signing-key-previous)'
} : {}

var previousHash = contains(previousKeys, 'NUMBER_HASH_KEY') ? {
  NUMBER_HASH_KEY_PREVIOUS: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/number-hash-key-previous)'
} : {}

var previousSecrets = contains(previousKeys, 'SECRETS_KEY') ? {
  SECRETS_KEY_PREVIOUS: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/secrets-key-previous)'
} : {}

// All settings of the app: what is set elsewhere goes away at the next deployment.
resource settings 'Microsoft.Web/sites/config@2025-05-01' = {
  parent: app
  name: 'appsettings'
  properties: union(fixedSettings, previousSigning, previousHash, previousSecrets, moreSettings)
}

// No passwords for FTP and for the deployment site.
resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-05-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-05-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

output name string = app.name
