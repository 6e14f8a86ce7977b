import { AuthError } from '@usher/client'

/** Where the refresh token is kept between starts of the app: Keychain and Keystore, as `expo-secure-store` has them. */
export interface Secrets {
  getItemAsync(key: string): Promise<string | null>
  setItemAsync(key: string, value: string): Promise<void>
  deleteItemAsync(key: string): Promise<void>
}

interface Pair {
  readonly access: string
  readonly refresh: string
  readonly expires_in: number
}

const KEY = 'usher.refresh'
const EARLY_MS = 30_000

/** One log-in. The access token lives in memory only. */
export class Session {
  readonly #url: string
  readonly #secrets: Secrets
  readonly #fetch: typeof fetch
  readonly #now: () => number
  #access = ''
  #endsAt = 0
  #renewal: Promise<string> | undefined

  constructor(url: string, secrets: Secrets, fetcher: typeof fetch = fetch, now = Date.now) {
    this.#url = url
    this.#secrets = secrets
    this.#fetch = fetcher
    this.#now = now
  }

  async logIn(tenant: string, username: string, password: string): Promise<void> {
    const answer = await this.#post('/auth/token', { tenant, username, password })
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`)
    await this.#keep((await answer.json()) as Pair)
  }

  /** Return a token that is good: the one at hand, or after a while in the background a new one. */
  async token(): Promise<string> {
    return this.#now() < this.#endsAt - EARLY_MS ? this.#access : this.renew()
  }

  /** Return a new token. A refresh token is good once: two renewals at the same time would end the session. */
  renew(): Promise<string> {
    this.#renewal ??= this.#renewed().finally(() => (this.#renewal = undefined))
    return this.#renewal
  }

  async #renewed(): Promise<string> {
    const refresh = await this.#secrets.getItemAsync(KEY)
    if (!refresh) throw new AuthError('nobody is logged in')
    const answer = await this.#post('/auth/token/refresh', { refresh })
    if (answer.status === 401 || answer.status === 403) {
      await this.#secrets.deleteItemAsync(KEY)
      throw new AuthError('the session has ended')
    }
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`) // it is asked again
    await this.#keep((await answer.json()) as Pair)
    return this.#access
  }

  #post(path: string, body: object): Promise<Response> {
    return this.#fetch(`${this.#url}/api/v1${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  async #keep({ access, refresh, expires_in }: Pair): Promise<void> {
    await this.#secrets.setItemAsync(KEY, refresh)
    this.#access = access
    this.#endsAt = this.#now() + expires_in * 1000
  }
}
