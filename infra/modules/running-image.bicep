// The image of a container app that is there.
param name string

resource app 'Microsoft.App/containerApps@2026-07-01' existing = {
  name: name
}

output image string = app.properties.template.containers[0].image
