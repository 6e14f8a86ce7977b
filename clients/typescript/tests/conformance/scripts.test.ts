/** The vectors that are scripts: what a server does, and what the client does next. */
import { describe, expect, test } from 'vitest'
import { live } from '../story.js'
import { ScriptedServer } from './scripted.js'
import { resume, type Script } from './vectors.js'

const HOUR = 3_600_000
const { events, scripts } = resume

async function play(script: Script, auth: 'message' | 'header') {
  const server = new ScriptedServer(script, events)
  const told = await live({ auth, getToken: server.getToken, random: () => script.random ?? 0 }, server)
  for (let waited = 0; server.played < script.sockets.length && waited < 120_000; waited += 1000) await told.pass(1000)
  await told.pass(script.ends === 'live' ? 100 : HOUR)
  return { ...told, server }
}

describe.each(['message', 'header'] as const)('the token in the %s', (auth) => {
  test.each(scripts.filter(({ needs }) => auth === 'header' || needs !== 'statuses'))('$name', async (script) => {
    const { server, client, events: told, synced } = await play(script, auth)

    expect(server.wrong).toEqual([])
    expect(server.sockets).toHaveLength(script.sockets.length)
    expect(client.state.status).toBe(script.ends)
    expect(told.map(({ id }) => id)).toEqual(script.shown.map((name) => events[name]!.id))
    if (script.reads_list !== undefined) expect(synced.filter(({ reload }) => reload)).toHaveLength(script.reads_list)
    client.close()
  })
})
