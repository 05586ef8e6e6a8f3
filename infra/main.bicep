// Everything that Switchboard needs in Azure, in one resource group: docs/deploy.md.
// Event Grid's subscriptions are in events.bicep, which is deployed once the functions are there.
targetScope = 'subscription'

@description('Name of the environment; the names of all resources follow from it.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of all resources but Communication Services, which has none.')
@minLength(1)
param location string

@description('Resource group; it is made if it does not exist.')
param resourceGroupName string = 'rg-${environmentName}'

@description('Where Communication Services keeps its data at rest. It cannot be changed afterwards.')
param dataLocation string = 'United States'

@description('Memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemory int = 2048

@description('Callbacks that one instance handles at once. Without it Flex Consumption runs one, for Python.')
@minValue(1)
@maxValue(32)
param httpConcurrency int = 16

@description('Most instances of a function group. Fewer than 40 can refuse requests.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 100

@description('Instances that are always ready for callbacks; they are billed while idle.')
@minValue(0)
param readyForCallbacks int = 1

@description('Instances that are always ready for incoming calls; likewise. Event Grid checks the function through one.')
@minValue(1)
param readyForCalls int = 1

@description('Recreate ends what runs at a deployment; RollingUpdate (preview) drains it, batch by batch.')
@allowed(['Recreate', 'RollingUpdate'])
param updateStrategy string = 'Recreate'

@description('Host name of your own for the app, without https://. Empty: the one that Azure gives.')
param customDomain string = ''

@description('public: storage and vault are reached by their public addresses, with identities. private: by private endpoints alone.')
@allowed(['public', 'private'])
param network string = 'public'

@description('Whether plan and storage are spread over availability zones. It cannot be changed afterwards.')
param zoneRedundant bool = false

@description('Whether nobody can purge the vault for 90 days after it was deleted. Cannot be undone, and keeps its name taken.')
param vaultPurgeProtection bool = false

@description('Days after which calls are deleted; 0: never.')
param callRetentionDays int = 30

@description('Days after which recordings and their reports are deleted; 0: never.')
param recordingRetentionDays int = 90

@description('Days after which any archive is deleted, whatever the app knows of it; 0: never. Longer than the two above.')
param archiveDays int = 400

@description('Days for which logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Who gets alerts by e-mail; empty: nobody, the alerts are shown in the portal only.')
param alertEmail string = ''

@description('Telephone minutes of one day from which the alert on toll fraud fires.')
@minValue(1)
param minutesPerDay int = 1000

@description('Whether recordings are transcribed: their audio then goes to the AI services resource.')
param transcripts bool = false

@description('Language of the recordings.')
param transcriptionLocale string = 'en-US'

@description('Whether the streams service is deployed. Without it remove the service streams from azure.yaml.')
param streams bool = true

@description('Replicas of the streams service.')
@minValue(1)
param streamsMinReplicas int = 1

@minValue(1)
param streamsMaxReplicas int = 10

@description('Whether the streams service has been deployed before; azd says so. Its image is kept then.')
param streamsExists bool = false

@description('Further app settings, such as HANDOFF_NUMBER; docs/settings.md lists them.')
param moreSettings object = {}

@description('Keys that are being changed, comma-separated: CALLBACK_SIGNING_KEY, NUMBER_HASH_KEY, SECRETS_KEY. Each needs its secret with -previous.')
param previousKeys string = ''

// Version 4 GUIDs of 122 random bits each, new in every deployment: they are used by the first one only (vault.bicep).
@secure()
param randomA string = '${newGuid()}${newGuid()}${newGuid()}'

@secure()
param randomB string = '${newGuid()}${newGuid()}${newGuid()}'

@secure()
param randomC string = '${newGuid()}${newGuid()}'

var tags = { 'azd-env-name': environmentName }

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: resourceGroupName
  location: location
  tags: tags
}

module resources 'resources.bicep' = {
  name: 'switchboard'
  scope: group
  params: {
    token: toLower(uniqueString(subscription().id, environmentName, location))
    location: location
    tags: tags
    dataLocation: dataLocation
    instanceMemory: instanceMemory
    httpConcurrency: httpConcurrency
    maximumInstances: maximumInstances
    readyForCallbacks: readyForCallbacks
    readyForCalls: readyForCalls
    updateStrategy: updateStrategy
    customDomain: customDomain
    private: network == 'private'
    zoneRedundant: zoneRedundant
    vaultPurgeProtection: vaultPurgeProtection
    callRetentionDays: callRetentionDays
    recordingRetentionDays: recordingRetentionDays
    archiveDays: archiveDays
    logRetentionDays: logRetentionDays
    alertEmail: alertEmail
    minutesPerDay: minutesPerDay
    transcripts: transcripts
    transcriptionLocale: transcriptionLocale
    streams: streams
    streamsMinReplicas: streamsMinReplicas
    streamsMaxReplicas: streamsMaxReplicas
    streamsExists: streamsExists
    moreSettings: moreSettings
    previousKeys: previousKeys
    randomA: randomA
    randomB: randomB
    randomC: randomC
  }
}

output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP_NAME string = resources.outputs.appName
output AZURE_STORAGE_ACCOUNT_NAME string = resources.outputs.storageName
output AZURE_KEY_VAULT_NAME string = resources.outputs.vaultName
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = resources.outputs.registry
output ACS_NAME string = resources.outputs.communicationName
output EVENTGRID_TOPIC_NAME string = resources.outputs.systemTopicName
output EVENT_DEAD_LETTER_CONTAINER string = resources.outputs.deadLetterContainer
output SERVICE_APP_BASE_URL string = resources.outputs.baseUrl
output STREAMS_URL string = resources.outputs.streamsUrl
