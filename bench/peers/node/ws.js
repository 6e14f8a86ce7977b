/**
 * ws (npm) as a notification server: `node ws.js PORT`. Sockets come to /<group>, events by POST to /<group>.
 *
 * At its best for this job: no per-message deflate, no set of all clients beside the groups' own, no check of what the
 * clients say (they say nothing); the body is handed on as the buffer that it came in, never made a string.
 */
const { WebSocketServer } = require('ws')
const { listen } = require('./publishing')

console.log(`ws ${require('ws/package.json').version}, Node ${process.version}`)

const groups = new Map()
const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  clientTracking: false,
  skipUTF8Validation: true,
})
const text = { binary: false }

listen((name, body) => {
  for (const socket of groups.get(name) ?? []) socket.send(body, text)
}).on('upgrade', (request, socket, head) => {
  server.handleUpgrade(request, socket, head, (opened) => join(request.url.slice(1), opened))
})

function join(name, socket) {
  const members = groups.get(name) ?? new Set()
  groups.set(name, members.add(socket))
  socket.on('close', () => members.delete(socket))
  socket.on('error', () => socket.terminate())
}
