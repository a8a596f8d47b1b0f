/** The page. Addresses are absolute, because a stage in the path would break relative ones. */
export function docsPage(baseUrl: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Trunkline API</title>
    <link rel="icon" type="image/png" href="${baseUrl}/docs/favicon-32x32.png">
    <link rel="stylesheet" href="${baseUrl}/docs/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui" data-document="${baseUrl}/-json"></div>
    <script src="${baseUrl}/docs/swagger-ui-bundle.js"></script>
    <script src="${baseUrl}/docs/start.js"></script>
  </body>
</html>
`;
}

/** Starts the page; a script of its own, because inline scripts are not allowed. */
export const START_SCRIPT = `const place = document.getElementById('swagger-ui');
window.ui = SwaggerUIBundle({
  domNode: place,
  url: place.dataset.document,
  deepLinking: true,
  docExpansion: 'none',
  filter: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
});
`;

/** The page loads its own scripts and styles and calls this API; nothing else. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
