/** A fake server with a fake clock, for tests of what is built on the client. */
export { FakeClock } from './clock.js'
export { FakeLog, type Newcomer } from './log.js'
export { FakeServer, type FakeServerOptions } from './server.js'
export { FakeSocket } from './socket.js'
