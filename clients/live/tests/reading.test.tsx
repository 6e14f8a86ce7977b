/** Somebody who reads is not disturbed, and knows what is new. */
import { act, screen } from '@testing-library/react'
import { FakeServer } from '@usher/client/testing'
import { expect, test } from 'vitest'
import { leftKey } from '../src/signups/useLeft'
import { said, story } from './story'

const ALICE = leftKey('acme', '01900000-0000-7000-8000-00000000a11c')

function withPeople(count: number): FakeServer {
  const server = new FakeServer()
  const vias = ['signup', 'invite', 'admin', 'import', 'api', 'command']
  for (let number = 1; number <= count; number++) {
    server.create({ username: `old-${number}`, joined_via: vias[number % vias.length]! })
  }
  return server
}

function scrolledTo(y: number): void {
  Object.defineProperty(window, 'scrollY', { value: y, configurable: true, writable: true })
  act(() => void dispatchEvent(new Event('scroll')))
}

function hidden(is: boolean): void {
  Object.defineProperty(document, 'visibilityState', { value: is ? 'hidden' : 'visible', configurable: true })
  act(() => void document.dispatchEvent(new Event('visibilitychange')))
}

test('at the top whoever comes is there at once', async () => {
  scrolledTo(0)
  const { server, pass, names } = await story({ server: withPeople(2) })
  server.create({ username: 'dave' })
  await pass()

  expect(names()).toEqual(['dave', 'old-2', 'old-1'])
})

test('further down whoever comes waits behind a button, and the title counts them', async () => {
  const { server, pass, names, user } = await story({ server: withPeople(2) })
  scrolledTo(500)
  for (const username of ['dave', 'erin', 'frank']) server.create({ username })
  await pass()
  expect(names()).toEqual(['old-2', 'old-1'])
  expect(document.title).toBe('(3) Sign-ups · acme · Usher')

  await user.click(screen.getByRole('button', { name: '3 new sign-ups' }))
  scrolledTo(0)
  await pass()

  expect(names()).toEqual(['frank', 'erin', 'dave', 'old-2', 'old-1'])
  expect(document.title).toBe('Sign-ups · acme · Usher')
  expect(document.activeElement?.getAttribute('aria-label')).toBe('Sign-ups, newest first')
})

test('whoever has gone on to a row by keyboard is not moved either', async () => {
  scrolledTo(0)
  const { server, pass, names, user } = await story({ server: withPeople(2) })
  await user.keyboard('jj')
  await pass()
  expect(document.activeElement?.textContent).toBe('old-1')
  server.create({ username: 'dave' })
  await pass()
  expect(names()).toEqual(['old-2', 'old-1'])

  await user.keyboard('.')
  await pass()

  expect(names()).toEqual(['dave', 'old-2', 'old-1'])
})

test('what came while the page was out of sight is counted in the title, and stands over a divider', async () => {
  scrolledTo(0)
  const { server, pass } = await story({ server: withPeople(1) })
  hidden(true)
  server.create({ username: 'dave' })
  server.create({ username: 'erin', joined_via: 'api' })
  await pass()
  expect(document.title).toBe('(2) Sign-ups · acme · Usher')

  hidden(false)
  await pass()

  expect(document.title).toBe('Sign-ups · acme · Usher')
  expect([...document.querySelectorAll('.left, .name')].map((element) => element.textContent)).toEqual([
    'erin',
    'dave',
    'New since you left',
    'old-1',
  ])

  act(() => void dispatchEvent(new Event('pagehide')))
  expect(localStorage.getItem(ALICE)).toBe(server.log.events[2]!.data.id)
})

test('the browser remembers up to where somebody has seen, by tenant and viewer, and no name', async () => {
  scrolledTo(0)
  const server = withPeople(2)
  localStorage.setItem(ALICE, server.log.events[0]!.data.id)
  await story({ server })
  expect(screen.getByText('New since you left')).toBeTruthy()

  act(() => void dispatchEvent(new Event('pagehide')))

  expect(localStorage.getItem(ALICE)).toBe(server.log.events[1]!.data.id)
  expect(JSON.stringify({ ...localStorage })).not.toMatch(/old-|token/)
})

test('new ones are said aloud as a number, at most once in five seconds', async () => {
  scrolledTo(0)
  const { server, pass } = await story({ server: withPeople(1) })
  server.create({ username: 'dave' })
  await pass(100)
  expect(said()).toEqual(['1 new sign-up'])

  server.create({ username: 'erin' })
  await pass(2_000)
  server.create({ username: 'frank' })
  await pass(2_000)
  expect(said()).toEqual(['1 new sign-up'])
  await pass(2_000)

  expect(said()).toEqual(['2 new sign-ups'])
})

test('a burst is one row that opens', async () => {
  scrolledTo(0)
  const { server, pass, names, user } = await story()
  for (let number = 1; number <= 12; number++) server.create({ joined_via: 'import' })
  await pass()
  expect(names()).toEqual([])

  await user.click(screen.getByRole('button', { name: '12 sign-ups via import' }))
  await pass()

  expect(names()).toHaveLength(12)
})

test('the way of joining is in the address and asked of the server', async () => {
  history.replaceState(null, '', '/?joined_via=import')
  const { server, pass, names } = await story({ server: withPeople(6) })
  server.create({ username: 'dave', joined_via: 'api' })
  server.create({ username: 'erin', joined_via: 'import' })
  await pass()

  expect(names()).toEqual(['erin', 'old-3'])
  expect(server.requests.some(({ path }) => path.includes('joined_via=import'))).toBe(true)
})
