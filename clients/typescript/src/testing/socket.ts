import type { SocketLike } from '../connection.js'
import type { FakeServer } from './server.js'

type Handler = ((event: never) => void) | null

/** The client's end of a connection to a `FakeServer`. Whatever either side does arrives a turn of the clock later. */
export class FakeSocket implements SocketLike {
  onopen: Handler = null
  onmessage: Handler = null
  onerror: Handler = null
  onclose: Handler = null
  /** As a browser counts: 0 connecting, 1 open, 2 closing, 3 closed. */
  readyState = 0
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** What the client has sent. */
  readonly sent: Record<string, unknown>[] = []
  /** Set once the server has let it in; the token that it stands on. */
  token: string | undefined
  /** True once it was told `synced`. */
  isLive = false
  /** While true nothing arrives, in either direction, and nobody is told. */
  isMute = false
  readonly #server: FakeServer

  constructor(server: FakeServer, url: string, headers: Readonly<Record<string, string>>) {
    this.#server = server
    this.url = url
    this.headers = headers
  }

  get isOpen(): boolean {
    return this.readyState < 2
  }

  get after(): string | null {
    return new URL(this.url).searchParams.get('after')
  }

  /** For the client. */
  send(data: string): void {
    if (this.readyState !== 1) throw new DOMException('not open', 'InvalidStateError')
    const message = JSON.parse(data) as Record<string, unknown>
    this.sent.push(message)
    if (!this.isMute) this.#server.later(() => this.isOpen && this.#server.said(this, message))
  }

  /** For the client. */
  close(code = 1000): void {
    if (!this.isOpen) return
    this.readyState = 2
    this.#server.later(() => this.#ended(code, ''))
  }

  /** For the server: let it open. */
  open(): void {
    this.#server.later(() => {
      if (this.readyState !== 0) return
      this.readyState = 1
      this.onopen?.({} as never)
      this.#server.opened(this)
    })
  }

  /** For the server: answer the handshake with an HTTP status, told as the `ws` package tells it. */
  refuse(status: number): void {
    const message = this.headers.Authorization ? `Unexpected server response: ${status}` : ''
    this.#server.later(() => {
      if (!this.isOpen) return
      this.onerror?.({ message } as never)
      this.#ended(1006, '')
    })
  }

  /** For the server: send a frame, or text that is none. */
  push(frame: object | string): void {
    const data = typeof frame === 'string' ? frame : JSON.stringify(frame)
    this.#server.later(() => this.readyState === 1 && !this.isMute && this.onmessage?.({ data } as never))
  }

  /** For the server: end it. */
  end(code: number, reason = ''): void {
    this.#server.later(() => this.isOpen && this.#ended(code, reason))
  }

  #ended(code: number, reason: string): void {
    if (this.readyState === 3) return
    this.readyState = 3
    if (!this.isMute) this.onclose?.({ code, reason } as never)
  }
}
