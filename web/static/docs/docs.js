/* Shows /openapi.json with Swagger UI, from files of this installation only. A key that is typed in stays in the page. */
"use strict";

const api = document.getElementById("api");

window.SwaggerUIBundle({
  url: api.dataset.description,
  domNode: api,
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  presets: [window.SwaggerUIBundle.presets.apis],
  validatorUrl: null,
});
