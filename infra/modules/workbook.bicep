// One page with the figures of the last day: the queries of infra/queries.
param location string
param tags object
param workspaceId string

var charts = [
  { title: 'Calls', shown: 'table', query: loadTextContent('../queries/calls.kql') }
  { title: 'Answer time', shown: 'table', query: loadTextContent('../queries/answer-time.kql') }
  { title: 'Outcomes', shown: 'table', query: loadTextContent('../queries/outcomes.kql') }
  { title: 'Open calls', shown: 'linechart', query: loadTextContent('../queries/open-calls.kql') }
  { title: 'With a person', shown: 'table', query: loadTextContent('../queries/persons.kql') }
  { title: 'Minutes a day', shown: 'table', query: loadTextContent('../queries/minutes.kql') }
  { title: 'Deliveries', shown: 'table', query: loadTextContent('../queries/deliveries.kql') }
  { title: 'Not taken', shown: 'table', query: loadTextContent('../queries/refused.kql') }
  { title: 'Media that failed', shown: 'table', query: loadTextContent('../queries/media-failures.kql') }
  { title: 'Requests that the service refused', shown: 'table', query: loadTextContent('../queries/service-requests.kql') }
]

var items = [
  for (chart, index) in charts: {
    type: 3
    name: 'query-${index}'
    content: {
      version: 'KqlItem/1.0'
      title: chart.title
      query: chart.query
      size: 0
      queryType: 0
      resourceType: 'microsoft.operationalinsights/workspaces'
      crossComponentResources: [workspaceId]
      timeContext: { durationMs: 86400000 }
      visualization: chart.shown
    }
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'switchboard')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Switchboard'
    category: 'workbook'
    version: '1.0'
    sourceId: workspaceId
    serializedData: string({
      version: 'Notebook/1.0'
      items: items
      isLocked: false
      fallbackResourceIds: [workspaceId]
    })
  }
}
