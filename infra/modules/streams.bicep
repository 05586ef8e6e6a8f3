// The streams service (docs/streams.md) on Container Apps, with the registry of its image.
param token string
param location string
param tags object
param private bool
param subnetId string
param zoneRedundant bool
param minReplicas int
param maxReplicas int
param exists bool
param identityId string
param identityClientId string
param identityPrincipalId string
param storageName string
param storePrefix string
param acsResourceId string
param callbackBaseUrl string
param signingKeyUri string
param previousKeys string
param workspaceId string

var roles = loadJsonContent('../roles.json')
var name = 'ca-streams-${token}'
var changingKey = contains(previousKeys, 'CALLBACK_SIGNING_KEY')

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: 'cr${token}'
  location: location
  tags: tags
  sku: { name: 'Basic' }
  properties: { adminUserEnabled: false }
}

resource pulls 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, identityPrincipalId, roles.acrPull)
  scope: registry
  properties: {
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.acrPull)
  }
}

resource environment 'Microsoft.App/managedEnvironments@2026-07-01' = {
  name: 'cae-${token}'
  location: location
  tags: tags
  properties: {
    appLogsConfiguration: { destination: 'azure-monitor' }
    workloadProfiles: [{ name: 'Consumption', workloadProfileType: 'Consumption' }]
    vnetConfiguration: private ? { infrastructureSubnetId: subnetId, internal: false } : null
    zoneRedundant: zoneRedundant && private
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'console'
  scope: environment
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'ContainerAppConsoleLogs', enabled: true }
      { category: 'ContainerAppSystemLogs', enabled: true }
    ]
  }
}

// The image that runs now, so that another provisioning does not put back the one of the first.
module running 'running-image.bicep' = if (exists) {
  name: 'running-image'
  params: { name: name }
}

var image = exists ? running!.outputs.image : 'mcr.microsoft.com/azuredocs/containerapps-helloworld:latest'
var host = '${name}.${environment.properties.defaultDomain}'
var storageHost = az.environment().suffixes.storage

var secret = { name: 'callback-signing-key', keyVaultUrl: signingKeyUri, identity: identityId }
var previousSecret = { name: 'callback-signing-key-previous', keyVaultUrl: '${signingKeyUri}-previous', identity: identityId }

var variables = [
  { name: 'AzureWebJobsStorage__accountName', value: storageName }
  { name: 'AzureWebJobsStorage__blobServiceUri', value: 'https://${storageName}.blob.${storageHost}' }
  { name: 'AzureWebJobsStorage__queueServiceUri', value: 'https://${storageName}.queue.${storageHost}' }
  { name: 'AzureWebJobsStorage__tableServiceUri', value: 'https://${storageName}.table.${storageHost}' }
  { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
  { name: 'AzureWebJobsStorage__clientId', value: identityClientId }
  { name: 'AZURE_CLIENT_ID', value: identityClientId }
  { name: 'STORE_PREFIX', value: storePrefix }
  { name: 'ACS_RESOURCE_ID', value: acsResourceId }
  { name: 'CALLBACK_BASE_URL', value: callbackBaseUrl }
  { name: 'STREAMS_URL', value: 'wss://${host}' }
  { name: 'CALLBACK_SIGNING_KEY', secretRef: 'callback-signing-key' }
]
var previousKey = { name: 'CALLBACK_SIGNING_KEY_PREVIOUS', secretRef: 'callback-signing-key-previous' }

var probes = [
  { type: 'Readiness', httpGet: { path: '/health', port: 8090 }, periodSeconds: 10 }
  { type: 'Liveness', httpGet: { path: '/health', port: 8090 }, periodSeconds: 30 }
]

resource app 'Microsoft.App/containerApps@2026-07-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'streams' })
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    managedEnvironmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        external: true
        targetPort: 8090
        transport: 'auto'
        allowInsecure: false
      }
      registries: [{ server: registry.properties.loginServer, identity: identityId }]
      secrets: changingKey ? [secret, previousSecret] : [secret]
    }
    template: {
      terminationGracePeriodSeconds: 60
      containers: [
        {
          name: 'streams'
          image: image
          resources: { cpu: json('0.5'), memory: '1Gi' }
          env: changingKey ? concat(variables, [previousKey]) : variables
          // The image before the first deployment has no such address.
          probes: exists ? probes : []
        }
      ]
      scale: {
        minReplicas: minReplicas
        maxReplicas: maxReplicas
        rules: [{ name: 'sockets', http: { metadata: { concurrentRequests: '100' } } }]
      }
    }
  }
  dependsOn: [pulls]
}

output url string = 'wss://${host}'
output registry string = registry.properties.loginServer
