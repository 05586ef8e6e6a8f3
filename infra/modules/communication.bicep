// Communication Services with its identity and its logs, speech, and the two Event Grid topics: that of the service,
// whose subscriptions are in events.bicep, and the app's own.
param token string
param location string
param tags object
param dataLocation string
param transcripts bool
param appPrincipalId string
param storageName string
param deadLetterContainer string
param workspaceId string

var roles = loadJsonContent('../roles.json')

resource communication 'Microsoft.Communication/communicationServices@2025-09-01' = {
  name: 'acs-${token}'
  location: 'global'
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    dataLocation: dataLocation
    disableLocalAuth: true
  }
}

// Without these the service keeps none of its logs (observability of calls, media, recordings, sign-ins, minutes).
resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'calls'
  scope: communication
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [
      { category: 'CallAutomationOperational', enabled: true }
      { category: 'CallAutomationMediaSummary', enabled: true }
      { category: 'CallAutomationStreamingUsage', enabled: true }
      { category: 'CallSummary', enabled: true }
      { category: 'CallDiagnostics', enabled: true }
      { category: 'CallRecordingOperational', enabled: true }
      { category: 'CallRecordingSummary', enabled: true }
      { category: 'AuthOperational', enabled: true }
      { category: 'Usage', enabled: true }
    ]
  }
}

// Text prompts and recognized speech; transcripts of recordings, if they are wanted.
resource speech 'Microsoft.CognitiveServices/accounts@2025-09-01' = {
  name: 'ai-${token}'
  location: location
  tags: tags
  kind: 'CognitiveServices'
  sku: { name: 'S0' }
  properties: {
    customSubDomainName: 'ai-${token}'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource storage 'Microsoft.Storage/storageAccounts@2026-09-01' existing = {
  name: storageName
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-09-01' existing = {
  name: '${storageName}/default/${deadLetterContainer}'
}

// A resource has one system topic.
resource systemTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-calls-${token}'
  location: 'global'
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    source: communication.id
    topicType: 'Microsoft.Communication.CommunicationServices'
  }
}

// Finished calls and reports: docs/notifications.md.
resource events 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: 'evgt-events-${token}'
  location: location
  tags: tags
  properties: {
    inputSchema: 'EventGridSchema'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
  }
}

resource appActs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(communication.id, appPrincipalId, roles.contributor)
  scope: communication
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.contributor)
  }
}

// This is what the portal calls connecting the two resources.
resource serviceSpeaks 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(speech.id, communication.id, roles.cognitiveServicesUser)
  scope: speech
  properties: {
    principalId: communication.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.cognitiveServicesUser)
  }
}

resource appTranscribes 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (transcripts) {
  name: guid(speech.id, appPrincipalId, roles.cognitiveServicesSpeechUser)
  scope: speech
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.cognitiveServicesSpeechUser)
  }
}

// For flows that record to a container of this account (RECORDING_CONTAINERS).
resource serviceRecords 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(storage.id, communication.id, roles.storageBlobDataContributor)
  scope: storage
  properties: {
    principalId: communication.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
  }
}

resource topicWritesDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(deadLetters.id, systemTopic.id, roles.storageBlobDataContributor)
  scope: deadLetters
  properties: {
    principalId: systemTopic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
  }
}

resource appPublishes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(events.id, appPrincipalId, roles.eventGridDataSender)
  scope: events
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventGridDataSender)
  }
}

output id string = communication.id
output name string = communication.name
output hostName string = communication.properties.hostName
output immutableResourceId string = communication.properties.immutableResourceId
output cognitiveServicesEndpoint string = 'https://${speech.properties.customSubDomainName}.cognitiveservices.azure.com/'
output eventsTopicEndpoint string = events.properties.endpoint
output systemTopicName string = systemTopic.name
output systemTopicId string = systemTopic.id
