// Shows the OpenAPI document. No other host is asked for anything, and a key that is typed is not kept.
"use strict";

SwaggerUIBundle({
  url: document.getElementById("api").dataset.document,
  dom_id: "#api",
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  filter: true,
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
  displayRequestDuration: true,
  supportedSubmitMethods: ["get", "put", "post", "delete", "patch"],
});
