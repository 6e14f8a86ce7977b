import { act, render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { StrictMode } from 'react'
import { FakeServer } from '@usher/client/testing'
import { App } from '../src/App'
import { Session } from '../src/session/session'
import { FakeTabs, FakeWeb } from './web'

/** The page on a fake server whose clock stands still. */
export interface Story {
  readonly server: FakeServer
  readonly web: FakeWeb
  readonly session: Session
  readonly tabs: FakeTabs
  readonly user: ReturnType<typeof userEvent.setup>
  /** Let so many milliseconds pass. */
  pass(ms?: number): Promise<void>
  /** The names in the list, as they stand there. */
  names(): string[]
  /** What the pill says. */
  pill(): string
  text(): string
}

export interface StoryOptions {
  readonly server?: FakeServer
  readonly isSignedIn?: boolean
  readonly setUp?: (web: FakeWeb) => void
}

/** Open the page; what is there already is set up on the server before. */
export async function story({
  server = new FakeServer(),
  isSignedIn = true,
  setUp,
}: StoryOptions = {}): Promise<Story> {
  const web = new FakeWeb(server)
  web.isSignedIn = isSignedIn
  setUp?.(web)
  const tabs = new FakeTabs()
  const { clock, url: origin } = server
  const session = new Session({ origin, fetch: web.fetch, tabs: tabs.open(), now: () => clock.now() })
  const parts = { session, origin, clock, client: { ...server.parts, fetch: web.fetch } }
  const pass = (ms = 50): Promise<void> =>
    act(async () => {
      await clock.advance(ms)
      // What is read from an answer arrives in turns of the real loop.
      for (let turn = 0; turn < 5; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 0))
        await clock.advance(5)
      }
    })
  render(
    <StrictMode>
      <App parts={parts} />
    </StrictMode>,
  )
  act(() => void session.restore())
  await pass()
  return {
    server,
    web,
    session,
    tabs,
    user: userEvent.setup(),
    pass,
    names: () => [...document.querySelectorAll('.row:not(.burst) .name')].map((name) => name.textContent ?? ''),
    pill: () => document.querySelector('.pill .word')?.textContent ?? '',
    text: () => document.body.textContent ?? '',
  }
}

/** What was said to those who hear the page. */
export const said = (): string[] =>
  screen
    .getAllByRole('status')
    .map((region) => region.textContent ?? '')
    .filter(Boolean)
