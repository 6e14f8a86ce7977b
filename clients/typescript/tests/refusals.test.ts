/** Clients that show their token in the header are refused by status. */
import { describe, expect, test } from 'vitest'
import type { SocketLike, WebSocketConstructor } from '../src/index.js'
import { live, story } from './story.js'

/** A WebSocket whose handshake fails with these words. */
const failing = (message: string): WebSocketConstructor =>
  class implements SocketLike {
    onopen: SocketLike['onopen'] = null
    onmessage: SocketLike['onmessage'] = null
    onerror: SocketLike['onerror'] = null
    onclose: SocketLike['onclose'] = null
    constructor() {
      queueMicrotask(() => {
        this.onerror?.({ message } as never)
        this.onclose?.({ code: 1006, reason: '' } as never)
      })
    }
    send(): void {}
    close(): void {}
  }

test('the token is in the handshake, and in no message', async () => {
  const { server, client } = await live({ auth: 'header' })

  expect(client.state.status).toBe('live')
  expect(server.sockets[0]!.headers).toEqual({ Authorization: 'Bearer token-1' })
  expect(server.sockets[0]!.sent).toEqual([])
})

test('it is renewed in place by a message', async () => {
  const { server, pass } = await live({ auth: 'header' })

  server.warn()
  await pass()

  expect(server.sockets).toHaveLength(1)
  expect(server.sockets[0]!.sent).toEqual([{ type: 'auth', token: 'token-2' }])
})

describe('a refusal', () => {
  test.each([
    'Unexpected server response: 403', // ws
    'Received bad response code from server: 403.', // React Native on iOS
    'Received bad response code from server 403',
    "Expected HTTP 101 response but was '403 Forbidden'", // React Native on Android
  ])('is read from the words: %s', async (message) => {
    const { client, pass } = story({ auth: 'header', WebSocket: failing(message) })
    void client.connect()
    await pass(3_600_000)

    expect(client.state).toMatchObject({
      status: 'forbidden',
      error: { code: 'forbidden', status: 403, retryable: false },
    })
  })

  test.each(['connect ECONNREFUSED 127.0.0.1:443', 'read ECONNRESET', 'getaddrinfo ENOTFOUND 403.example.com', ''])(
    'is not read from other words: %s',
    async (message) => {
      const { client, pass } = story({ auth: 'header', WebSocket: failing(message) })
      void client.connect()
      await pass(3_600_000)

      expect(client.state).toMatchObject({ status: 'reconnecting', error: { code: 'closed_1006', retryable: true } })
    },
  )

  test('without words, as in a browser, is a line that broke', async () => {
    const { server, client, pass } = story()
    server.refuses = 403
    void client.connect()
    await pass(10_000)
    expect(client.state.status).toBe('reconnecting')

    server.refuses = undefined
    await pass(60_000)

    expect(client.state.status).toBe('live')
  })
})
