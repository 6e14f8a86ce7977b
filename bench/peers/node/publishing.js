/**
 * Listen on the port that is the program's first argument, and call `publish(group, body)` for every POST to /<group>.
 *
 * Answers the HTTP server, whose upgrades are the peers' own business.
 */
const { createServer } = require('node:http')

exports.listen = (publish) => {
  const server = createServer((request, response) => {
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      publish(request.url.slice(1), chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
      response.writeHead(204).end()
    })
  })
  // The publisher's connections rest while thousands of sockets are opened: no timer may close them meanwhile.
  server.keepAliveTimeout = 0
  server.requestTimeout = 0
  server.headersTimeout = 0
  // As many as may wait when all sockets come at once; Node's own 511 would make a storm wait for its SYNs.
  server.listen({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 4096 })
  return server
}
