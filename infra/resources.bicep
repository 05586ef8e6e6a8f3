// The resources of one resource group, module by module. main.bicep describes the parameters.
param token string
param location string
param tags object
param dataLocation string
param instanceMemory int
param httpConcurrency int
param maximumInstances int
param readyForCallbacks int
param readyForCalls int
param updateStrategy string
param customDomain string
param private bool
param zoneRedundant bool
param vaultPurgeProtection bool
param callRetentionDays int
param recordingRetentionDays int
param archiveDays int
param logRetentionDays int
param alertEmail string
param minutesPerDay int
param transcripts bool
param transcriptionLocale string
param streams bool
param streamsMinReplicas int
param streamsMaxReplicas int
param streamsExists bool
param moreSettings object
param previousKeys string

@secure()
param randomA string

@secure()
param randomB string

@secure()
param randomC string

var appName = 'func-${token}'
var baseUrl = 'https://${empty(customDomain) ? '${appName}.azurewebsites.net' : customDomain}'
var storePrefix = 'switchboard'

resource appIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-app-${token}'
  location: location
  tags: tags
}

resource streamsIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-streams-${token}'
  location: location
  tags: tags
}

module net 'modules/network.bicep' = if (private) {
  name: 'network'
  params: {
    token: token
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    token: token
    location: location
    tags: tags
    retentionDays: logRetentionDays
    appPrincipalId: appIdentity.properties.principalId
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    token: token
    location: location
    tags: tags
    zoneRedundant: zoneRedundant
    private: private
    storePrefix: storePrefix
    archiveDays: archiveDays
    callRetentionDays: callRetentionDays
    recordingRetentionDays: recordingRetentionDays
    appPrincipalId: appIdentity.properties.principalId
    streamsPrincipalId: streamsIdentity.properties.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  params: {
    token: token
    location: location
    tags: tags
    private: private
    purgeProtection: vaultPurgeProtection
    appPrincipalId: appIdentity.properties.principalId
    streamsPrincipalId: streamsIdentity.properties.principalId
    randomA: randomA
    randomB: randomB
    randomC: randomC
  }
}

module endpoints 'modules/private-endpoints.bicep' = if (private) {
  name: 'private-endpoints'
  params: {
    token: token
    location: location
    tags: tags
    networkId: private ? net!.outputs.networkId : ''
    subnetId: private ? net!.outputs.endpointsSubnetId : ''
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
  }
}

module communication 'modules/communication.bicep' = {
  name: 'communication'
  params: {
    token: token
    location: location
    tags: tags
    dataLocation: dataLocation
    transcripts: transcripts
    appPrincipalId: appIdentity.properties.principalId
    storageName: storage.outputs.name
    deadLetterContainer: storage.outputs.deadLetterContainer
    workspaceId: monitoring.outputs.workspaceId
  }
}

module streamsService 'modules/streams.bicep' = if (streams) {
  name: 'streams'
  params: {
    token: token
    location: location
    tags: tags
    private: private
    subnetId: private ? net!.outputs.streamsSubnetId : ''
    zoneRedundant: zoneRedundant
    minReplicas: streamsMinReplicas
    maxReplicas: streamsMaxReplicas
    exists: streamsExists
    identityId: streamsIdentity.id
    identityClientId: streamsIdentity.properties.clientId
    identityPrincipalId: streamsIdentity.properties.principalId
    storageName: storage.outputs.name
    storePrefix: storePrefix
    acsResourceId: communication.outputs.immutableResourceId
    callbackBaseUrl: baseUrl
    signingKeyUri: vault.outputs.signingKeyUri
    previousKeys: previousKeys
    workspaceId: monitoring.outputs.workspaceId
  }
  dependsOn: [endpoints]
}

module functions 'modules/functions.bicep' = {
  name: 'functions'
  params: {
    token: token
    name: appName
    location: location
    tags: tags
    instanceMemory: instanceMemory
    httpConcurrency: httpConcurrency
    maximumInstances: maximumInstances
    readyForCallbacks: readyForCallbacks
    readyForCalls: readyForCalls
    updateStrategy: updateStrategy
    zoneRedundant: zoneRedundant
    subnetId: private ? net!.outputs.appSubnetId : ''
    identityId: appIdentity.id
    identityClientId: appIdentity.properties.clientId
    storageName: storage.outputs.name
    packageContainer: storage.outputs.packageContainer
    storePrefix: storePrefix
    insightsName: monitoring.outputs.insightsName
    vaultUri: vault.outputs.uri
    previousKeys: previousKeys
    acsId: communication.outputs.id
    acsHostName: communication.outputs.hostName
    acsResourceId: communication.outputs.immutableResourceId
    cognitiveServicesEndpoint: communication.outputs.cognitiveServicesEndpoint
    transcripts: transcripts
    transcriptionLocale: transcriptionLocale
    eventsTopicEndpoint: communication.outputs.eventsTopicEndpoint
    callbackBaseUrl: baseUrl
    streamsUrl: streams ? streamsService!.outputs.url : ''
    callRetentionDays: callRetentionDays
    recordingRetentionDays: recordingRetentionDays
    moreSettings: moreSettings
  }
  dependsOn: [endpoints]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    token: token
    location: location
    tags: tags
    email: alertEmail
    minutesPerDay: minutesPerDay
    workspaceId: monitoring.outputs.workspaceId
    systemTopicId: communication.outputs.systemTopicId
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

output appName string = functions.outputs.name
output baseUrl string = baseUrl
output storageName string = storage.outputs.name
output vaultName string = vault.outputs.name
output communicationName string = communication.outputs.name
output systemTopicName string = communication.outputs.systemTopicName
output deadLetterContainer string = storage.outputs.deadLetterContainer
output registry string = streams ? streamsService!.outputs.registry : ''
output streamsUrl string = streams ? streamsService!.outputs.url : ''
