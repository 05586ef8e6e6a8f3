// Alerts: each query gives a row only if something is wrong. What to do at each: docs/operations.md.
param token string
param location string
param tags object
param email string
param minutesPerDay int
param workspaceId string
param systemTopicId string

var minutes = replace(
  loadTextContent('../alerts/minutes-a-day.kql'),
  'let most_minutes = 1000;',
  'let most_minutes = ${minutesPerDay};'
)

var rules = [
  { name: 'app-silent', severity: 0, every: 'PT5M', window: 'PT15M', query: loadTextContent('../alerts/app-silent.kql') }
  { name: 'deliveries-refused', severity: 1, every: 'PT5M', window: 'PT15M', query: loadTextContent('../alerts/deliveries-refused.kql') }
  { name: 'calls-failed', severity: 1, every: 'PT5M', window: 'PT10M', query: loadTextContent('../alerts/calls-failed.kql') }
  { name: 'media-refused', severity: 1, every: 'PT5M', window: 'PT10M', query: loadTextContent('../alerts/media-refused.kql') }
  { name: 'flows-failed', severity: 1, every: 'PT5M', window: 'PT10M', query: loadTextContent('../alerts/flows-failed.kql') }
  { name: 'minutes-a-day', severity: 1, every: 'PT1H', window: 'P1D', query: minutes }
  { name: 'poison-messages', severity: 1, every: 'PT15M', window: 'PT30M', query: loadTextContent('../alerts/poison-messages.kql') }
  { name: 'answers-slow', severity: 2, every: 'PT5M', window: 'PT10M', query: loadTextContent('../alerts/answers-slow.kql') }
  { name: 'callbacks-slow', severity: 2, every: 'PT5M', window: 'PT10M', query: loadTextContent('../alerts/callbacks-slow.kql') }
  { name: 'watchdog-acted', severity: 2, every: 'PT15M', window: 'PT1H', query: loadTextContent('../alerts/watchdog-acted.kql') }
  { name: 'app-errors', severity: 3, every: 'PT15M', window: 'PT30M', query: loadTextContent('../alerts/app-errors.kql') }
  { name: 'calls-abandoned', severity: 3, every: 'PT15M', window: 'PT30M', query: loadTextContent('../alerts/calls-abandoned.kql') }
  { name: 'persons-late', severity: 3, every: 'PT15M', window: 'PT30M', query: loadTextContent('../alerts/persons-late.kql') }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-${token}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'switchboard'
    enabled: true
    emailReceivers: [{ name: 'operator', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: '${rule.name}-${token}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Switchboard: ${rule.name}'
      description: 'docs/operations.md says what to do.'
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: rule.every
      windowSize: rule.window
      // Tables of Communication Services are made by their first line.
      skipQueryValidation: true
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: empty(email) ? [] : [people.id] }
    }
  }
]

// Events that did not reach the app, as Event Grid counts them.
resource undelivered 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for metric in ['DeliveryAttemptFailCount', 'DeadLetteredCount', 'DroppedEventCount']: {
    name: 'events-${toLower(metric)}-${token}'
    location: 'global'
    tags: tags
    properties: {
      description: 'docs/operations.md says what to do.'
      severity: 1
      enabled: true
      scopes: [systemTopicId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: metric
            metricNamespace: 'Microsoft.EventGrid/systemTopics'
            metricName: metric
            timeAggregation: 'Total'
            operator: 'GreaterThan'
            threshold: 0
          }
        ]
      }
      actions: empty(email) ? [] : [{ actionGroupId: people.id }]
    }
  }
]
