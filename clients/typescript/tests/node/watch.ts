/**
 * Watches a real server, and tells on standard output what it hears; when standard input ends, what its feed shows.
 *
 *     node watch.js http://127.0.0.1:8000 acme alice usher-demo
 */
import { createClient, AuthError, type SocketLike } from '@usher/client'
import { createFeed } from '../../src/feed.js'
import WebSocket from 'ws'

const [url = '', tenant = '', username = '', password = ''] = process.argv.slice(2)
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

let pair = { access: '', refresh: '' }
const post = async (path: string, body: object): Promise<void> => {
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
  const answer = await fetch(`${url}/api/v1/auth/${path}`, init)
  if (answer.status === 401) throw new AuthError('the session has ended')
  if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}`)
  pair = (await answer.json()) as typeof pair
}

const client = createClient({
  url,
  auth: 'header',
  backoff: { longest: 500 }, // it is the drops that are tried here, and not patience
  WebSocket: WebSocket as unknown as new (url: string, protocols: string[]) => SocketLike,
  getToken: async ({ reason }) => {
    if (!pair.access) await post('token', { tenant, username, password })
    else if (reason !== 'initial' && reason !== 'reconnecting') await post('token/refresh', { refresh: pair.refresh })
    return pair.access
  },
})
client.on('event', (event) => say({ event: event.id, username: event.data.username }))
client.on('state', (state) => say({ state: state.status }))
client.on('error', (error) => say({ error: error.message }))
const feed = createFeed(client)
feed.subscribe(() => {})
void client.connect()

/** Once the list has been read, since it may just be read again. */
const end = (): void => {
  const { users, isLoaded, isLoading, error } = feed.getSnapshot()
  if (!isLoaded || isLoading || error) return void setTimeout(end, 100)
  say({ shown: users.map((user) => user.username) })
  client.close()
  process.stdout.end(() => process.exit(0)) // a connection that fetch keeps would keep the process, too
}
process.stdin.on('end', () => setTimeout(end, 100))
process.stdin.resume()
