import { createClient, type ClientEvents, type ClientOptions, type Event, type UsherClient } from '../src/index.js'
import { FakeServer } from '../src/testing/index.js'

/** A client on a fake server, and what it has told. */
export interface Story {
  readonly server: FakeServer
  readonly client: UsherClient
  readonly events: Event[]
  readonly states: string[]
  readonly synced: ClientEvents['synced'][]
  readonly errors: ClientEvents['error'][]
  /** Let so many milliseconds pass. */
  pass(ms?: number): Promise<void>
  names(): string[]
}

export function story(options: Partial<ClientOptions> = {}, server = new FakeServer()): Story {
  const client = createClient({ url: server.url, getToken: server.getToken, ...server.parts, ...options })
  const told: Story = {
    server,
    client,
    events: [],
    states: [],
    synced: [],
    errors: [],
    pass: (ms = 0) => server.clock.advance(ms),
    names: () => told.events.map((event) => event.data.username),
  }
  client.on('event', (event) => told.events.push(event))
  client.on('state', (state) => told.states.push(state.status))
  client.on('synced', (synced) => told.synced.push(synced))
  client.on('error', (error) => told.errors.push(error))
  return told
}

/** A story that has come to the point of being live. */
export async function live(options: Partial<ClientOptions> = {}, server?: FakeServer): Promise<Story> {
  const told = story(options, server)
  void told.client.connect()
  await told.pass()
  return told
}
