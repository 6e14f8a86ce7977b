/** A server that does what a script says, on a clock that stands still, and notes what the client did. */
import { AuthError, type GetToken } from '../../src/index.js'
import { FakeServer, type FakeSocket } from '../../src/testing/index.js'
import type { Script, Socket, Step } from './vectors.js'

type Message = Readonly<Record<string, unknown>>

export class ScriptedServer extends FakeServer {
  readonly script: Script
  /** What was not as the script has it. */
  readonly wrong: string[] = []
  /** How many sockets have come to the end of their steps. */
  played = 0
  readonly #events: Readonly<Record<string, { readonly id: string }>>
  #endedAt: number | undefined
  #token = 1
  #renewals: string[]
  #waiting: { readonly socket: FakeSocket; readonly take: (message: Message) => void } | undefined
  #early: Message[] = []

  constructor(script: Script, events: Readonly<Record<string, { readonly id: string }>>) {
    super()
    this.script = script
    this.#events = events
    this.#renewals = [...(script.renewals ?? [])]
  }

  /** As an application has it: the token at hand, until it has proved useless. */
  override readonly getToken: GetToken = ({ reason }) => {
    if (reason === 'initial' || reason === 'reconnecting') return `token-${this.#token}`
    const outcome = this.#renewals.shift() ?? 'works'
    if (outcome === 'refused') throw new AuthError('the session has ended')
    if (outcome === 'fails') throw new Error('the network was away')
    return `token-${++this.#token}`
  }

  override isGood(): boolean {
    return true
  }

  /** The token is in the header, or comes as the first message; then the script begins. */
  override opened(socket: FakeSocket): void {
    const shown = socket.headers.Authorization
    if (shown) this.#begin(socket, shown.replace('Bearer ', ''))
  }

  override said(socket: FakeSocket, message: Message): void {
    if (socket.token === undefined) return this.#begin(socket, String(message.token))
    if (this.#waiting?.socket === socket) this.#waiting.take(message)
    else this.#early.push(message)
  }

  /** A refusal comes in place of the socket, which then never opens. */
  override connecting(socket: FakeSocket): void {
    const first = this.#planned(this.sockets.length - 1)?.steps[0]
    if (!first || !('refuse' in first)) return socket.open()
    this.#arrives(socket, socket.headers.Authorization?.replace('Bearer ', '') ?? '')
    socket.refuse(first.refuse)
    this.#over()
  }

  #planned(number: number): Socket | undefined {
    return this.script.sockets[number]
  }

  #arrives(socket: FakeSocket, token: string): Socket | undefined {
    const number = this.sockets.indexOf(socket)
    const planned = this.#planned(number)
    if (!planned) {
      this.wrong.push(`socket ${number} was not expected`)
      return undefined
    }
    const after = planned.after === null ? null : this.#events[planned.after]!.id
    this.#expect(`socket ${number}: after`, socket.after, after)
    this.#expect(`socket ${number}: token`, token, `token-${planned.token}`)
    const waited = this.#endedAt === undefined ? 0 : this.clock.now() - this.#endedAt
    if (planned.within_ms === undefined) {
      const waits = [planned.wait_ms ?? 0, planned.or_wait_ms ?? planned.wait_ms ?? 0]
      if (!waits.includes(waited)) this.wrong.push(`socket ${number}: it waited ${waited} ms; expected ${waits[0]}`)
    } else if (waited > planned.within_ms) this.wrong.push(`socket ${number}: it came after ${waited} ms`)
    return planned
  }

  #over(): void {
    this.#endedAt = this.clock.now()
    this.played++
  }

  #begin(socket: FakeSocket, token: string): void {
    socket.token = token
    const planned = this.#arrives(socket, token)
    if (planned) void this.#play(socket, planned.steps)
  }

  async #play(socket: FakeSocket, steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#do(socket, step)
    this.#over()
  }

  async #do(socket: FakeSocket, step: Step): Promise<void> {
    if ('ready' in step) {
      const heartbeat = { every_seconds: 25, answer_within_seconds: 10, ...step.ready }
      socket.push({ ...this.ready(), heartbeat })
    } else if ('send' in step) socket.push(typeof step.send === 'string' ? this.#events[step.send]! : step.send)
    else if ('send_text' in step) socket.push(step.send_text)
    else if ('close' in step) socket.end(step.close, 'as the script has it')
    else if ('drop' in step) socket.end(1006)
    else if ('pass_ms' in step) await new Promise<void>((resolve) => this.clock.setTimeout(resolve, step.pass_ms))
    else if ('receive' in step) await this.#receive(socket, step.receive)
  }

  async #receive(socket: FakeSocket, { type, token }: { type: string; token?: number }): Promise<void> {
    const message = this.#early.shift() ?? (await new Promise<Message>((take) => (this.#waiting = { socket, take })))
    this.#waiting = undefined
    this.#expect('received', message, token === undefined ? { type } : { type, token: `token-${token}` })
  }

  #expect(what: string, actual: unknown, expected: unknown): void {
    const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)]
    if (is !== should) this.wrong.push(`${what} is ${is}; expected ${should}`)
  }
}
