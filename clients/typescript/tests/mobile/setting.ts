/** A phone, and who has logged in on it, for the tests of clients/mobile/react-native. */
import { Session } from '../../../mobile/react-native/session'
import { createUsher, phone } from '../../../mobile/react-native/usher'
import { memoryStore, type UsherClient } from '../../src/index.js'
import { FakeServer } from '../../src/testing/index.js'

export class Phone {
  currentState = 'active'
  readonly kept = new Map<string, string>()
  readonly #states = new Set<(state: string) => void>()
  readonly #networks = new Set<(state: { isConnected: boolean | null }) => void>()

  addEventListener(_: 'change', listener: (state: string) => void) {
    this.#states.add(listener)
    return { remove: () => void this.#states.delete(listener) }
  }
  readonly network = {
    addEventListener: (listener: (state: { isConnected: boolean | null }) => void) => {
      this.#networks.add(listener)
      return () => void this.#networks.delete(listener)
    },
  }
  readonly secrets = {
    getItemAsync: (key: string) => Promise.resolve(this.kept.get(key) ?? null),
    setItemAsync: (key: string, value: string) => Promise.resolve(void this.kept.set(key, value)),
    deleteItemAsync: (key: string) => Promise.resolve(void this.kept.delete(key)),
  }
  get listeners(): number {
    return this.#states.size + this.#networks.size
  }
  is(state: string): void {
    this.currentState = state
    this.#states.forEach((listener) => listener(state))
  }
  connect(isConnected: boolean): void {
    this.#networks.forEach((listener) => listener({ isConnected }))
  }
}

/** A server, a phone, and a session of Alice's on it, who has not logged in yet. */
export function setting() {
  const server = new FakeServer()
  const device = new Phone()
  const renewals: unknown[] = []
  let status = 200
  const fetcher = (async (address: string, init: RequestInit) => {
    if (server.isDown) throw new TypeError('fetch failed')
    if (!address.includes('/auth/')) return server.fetch(address, init)
    renewals.push(JSON.parse(String(init.body)))
    const pair = { access: server.mint(), refresh: `refresh-${renewals.length}`, expires_in: 300 }
    return new Response(JSON.stringify(pair), { status })
  }) as typeof fetch
  const session = new Session(server.url, device.secrets, fetcher, () => server.clock.now())
  const identity = { tenant: server.tenant, user: server.user.id }
  const create = (): UsherClient =>
    createUsher(server.url, session, phone(device, device.network), {
      ...server.parts,
      resume: memoryStore(),
      identity,
    })
  const logIn = (): Promise<void> => session.logIn('acme', 'alice', 'usher-demo')
  return { server, device, session, create, logIn, renewals, refuse: (with_: number) => (status = with_) }
}
