import type { Clock } from './clock.js'
import { parseFrame, type Event, type Frame, type Goodbye } from './frames.js'

/** As much of a WebSocket as is used: the browser's, React Native's, Node's, or that of the `ws` package. */
export interface SocketLike {
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  send(data: string): void
  close(code?: number, reason?: string): void
}

export type WebSocketConstructor = new (
  url: string,
  protocols: string[],
  options?: { headers: Record<string, string> },
) => SocketLike

/**
 * How a socket ended, or never began. A code below 1000 is the status that its handshake was answered with; 0: it was
 * not the server that ended it, but the client gave it up.
 */
export interface Ended {
  readonly code: number
  readonly reason: string
  /** How long the server wants to be left alone. */
  readonly leastMs: number
}

export interface Ends {
  event(event: Event): void
  control(frame: Extract<Frame, { kind: 'control' }>['frame']): void
  ended(how: Ended): void
}

/** Where the runtimes whose sockets take headers say how a handshake was answered: ws, and React Native on iOS and Android. */
const STATUS = /(?:response:|code from server:?|but was ')\s?([45]\d\d)\b/

const OPENING_MS = 10_000
const AFTER_GOODBYE_MS = 3_000

/** One socket, from its handshake to its end. After `drop()` or the one call of `ended` nothing is heard of it. */
export class Connection {
  readonly #socket: SocketLike
  readonly #clock: Clock
  readonly #ends: Ends
  #silence: unknown
  #patienceMs = OPENING_MS
  #goodbye: Goodbye | undefined
  #status = 0

  /** `token` is shown in the header if `inHeader`, else as the first message. */
  constructor(make: WebSocketConstructor, url: string, token: string, inHeader: boolean, clock: Clock, ends: Ends) {
    this.#clock = clock
    this.#ends = ends
    const protocols = ['usher.v1']
    const socket = inHeader
      ? new make(url, protocols, { headers: { Authorization: `Bearer ${token}` } })
      : new make(url, protocols)
    this.#socket = socket
    socket.onopen = () => {
      this.#heard()
      if (!inHeader) this.show(token)
    }
    socket.onmessage = (message: { data: unknown }) => this.#take(message.data)
    // Its close says the rest, and a socket without a listener for errors may throw.
    socket.onerror = ({ message = '' }: { message?: string }) => {
      this.#status = Number(STATUS.exec(message)?.[1])
    }
    socket.onclose = (close: { code?: number; reason?: string }) =>
      this.#closed(this.#status || (close.code ?? 1006), close.reason ?? '')
    this.#heard()
  }

  /** Show a token: first of all, or to renew the one that the socket stands on. */
  show(token: string): void {
    this.#socket.send(JSON.stringify({ type: 'auth', token }))
  }

  /** Let go at once, without a word to anybody here. */
  drop(): void {
    const socket = this.#socket
    this.#clock.clearTimeout(this.#silence)
    socket.onopen = socket.onmessage = socket.onclose = null
    try {
      socket.close(1000)
    } catch {
      // What cannot be closed is closed.
    }
  }

  #take(data: unknown): void {
    const frame = parseFrame(data)
    if (!frame) return this.#closed(0, 'something came that is no frame')
    const control = frame.kind === 'control' ? frame.frame : undefined
    if (control?.type === 'ready') {
      const { every_seconds: every, answer_within_seconds: answer = 0 } = control.heartbeat
      this.#patienceMs = (2 * every + answer) * 1000
    } else if (control?.type === 'goodbye') {
      this.#goodbye = control
      this.#patienceMs = AFTER_GOODBYE_MS // the close frame may never come
    }
    this.#heard()
    if (frame.kind === 'event') this.#ends.event(frame.event)
    else if (control?.type === 'ping') this.#socket.send('{"type":"pong"}')
    else if (control) this.#ends.control(control)
  }

  /** Begin to count the silence anew: the server is never silent for long, so a timer here would only be another's. */
  #heard(): void {
    this.#clock.clearTimeout(this.#silence)
    const ms = this.#patienceMs
    this.#silence = this.#clock.setTimeout(() => this.#closed(0, `nothing came for ${ms / 1000} s`), ms)
  }

  #closed(code: number, reason: string): void {
    this.drop() // by whomever it was closed
    const goodbye = this.#goodbye
    // Where the close frame got lost, or a proxy put its own in place, the farewell still says why.
    const isOurs = code >= 4000 && code < 4500
    this.#ends.ended({
      code: isOurs || !goodbye ? code : goodbye.code,
      reason: (isOurs && reason) || goodbye?.reason || reason,
      leastMs: goodbye?.retry_after_ms ?? 0,
    })
  }
}
