/**
 * Socket.IO (npm) as a notification server: `node socketio.js PORT [REDIS_URL]`; with a URL, behind its Redis adapter.
 *
 * A socket names its group as it connects ({"group": …} is its `auth`) and is put into the room of that name; events
 * come by POST to /<group> and go to the room.
 *
 * At its best for this job: WebSocket alone, so no long-polling and no upgrade; no compression of any kind; the HTTP
 * request of each handshake is let go, as Socket.IO's page on memory advises; no pings, as the other peers send none.
 * It has ws underneath, and its adapter encodes a broadcast once, into the very frame that all sockets of a room are
 * sent. bufferutil, which that page names too, unmasks what clients say; they say nothing.
 */
const { Server } = require('socket.io')
const { listen } = require('./publishing')

const url = process.argv[3]
const adapter = url ? `, Redis adapter ${require('@socket.io/redis-adapter/package.json').version}` : ''
console.log(`Socket.IO ${require('socket.io/package.json').version}${adapter}, Node ${process.version}`)

const io = new Server({
  transports: ['websocket'],
  allowUpgrades: false,
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
  pingInterval: 86_400_000,
  adapter: url && behindRedis(url),
})

io.on('connection', (socket) => socket.join(socket.handshake.auth.group))
io.attach(listen((name, body) => io.to(name).emit('notification', JSON.parse(body))))
io.engine.on('connection', (socket) => {
  socket.request = null
})

function behindRedis(url) {
  const { createAdapter } = require('@socket.io/redis-adapter')
  const { createClient } = require('redis')
  // Of the two clients that the adapter takes, this one is quicker here, and costs Redis a tenth: it joins commands.
  const [publishing, hearing] = [createClient({ url }), createClient({ url })]
  publishing.connect()
  hearing.connect()
  return createAdapter(publishing, hearing)
}
