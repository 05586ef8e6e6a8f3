// Which events of Communication Services go to which function. Deployed once the functions are there: before, Event
// Grid refuses a subscription whose function does not exist (docs/deploy.md). Safe to deploy again.
param topicName string
param appName string
param storageName string
param deadLetterContainer string

@description('Numbers of yours whose calls this app takes, such as +18005550199; empty: those of all numbers.')
param numbers array = []

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource app 'Microsoft.Web/sites@2025-05-01' existing = {
  name: appName
}

resource storage 'Microsoft.Storage/storageAccounts@2026-09-01' existing = {
  name: storageName
}

var ofNumbers = [{ operatorType: 'StringIn', key: 'data.to.PhoneNumber.Value', values: numbers }]

// A call rings for 30 seconds: a later delivery would be of no use.
resource incomingCall 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'incoming-call'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: '${app.id}/functions/incoming_call'
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      includedEventTypes: ['Microsoft.Communication.IncomingCall']
      enableAdvancedFilteringOnArrays: true
      advancedFilters: empty(numbers) ? [] : ofNumbers
    }
    retryPolicy: { maxDeliveryAttempts: 2, eventTimeToLiveInMinutes: 1 }
  }
}

resource callLifecycle 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'call-lifecycle'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'AzureFunction'
      properties: { resourceId: '${app.id}/functions/call_lifecycle', maxEventsPerBatch: 1 }
    }
    filter: {
      includedEventTypes: [
        'Microsoft.Communication.CallStarted'
        'Microsoft.Communication.CallEnded'
        'Microsoft.Communication.CallParticipantAdded'
        'Microsoft.Communication.CallParticipantRemoved'
      ]
    }
  }
}

// The service keeps a file for 24 hours, and so long Event Grid tries: 30 attempts. What it gives up lies in a container.
resource recordingFile 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'recording-file'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'AzureFunction'
      properties: { resourceId: '${app.id}/functions/recording_file', maxEventsPerBatch: 1 }
    }
    filter: { includedEventTypes: ['Microsoft.Communication.RecordingFileStatusUpdated'] }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: { resourceId: storage.id, blobContainerName: deadLetterContainer }
      }
    }
  }
  dependsOn: [callLifecycle]
}
