// Package web holds the browser client, which the server serves. It is plain files: ES modules, one page, one style sheet, and the art
// that client/art draws.
package web

import "embed"

// FS holds the client's files, index.html at its root. It is read-only and safe for use by any goroutine.
//
//go:embed index.html style.css manifest.webmanifest js art
var FS embed.FS

// ContentSecurityPolicy is the policy the client runs under; a server sends it with every page. Scripts, styles and pictures come
// from the server itself, none of them inline; WebSockets may go to other servers, for ?server=.
const ContentSecurityPolicy = "default-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
