import { act, screen } from '@testing-library/react'
import { QueryClient } from '@tanstack/react-query'
import { afterEach, expect, test, vi } from 'vitest'
import { story } from './story'

afterEach(() => void vi.restoreAllMocks())

const PEOPLE = [
  { tenant: 'acme', username: 'alice', password: 'usher-demo', description: 'Sees everybody' },
  { tenant: 'acme', username: 'bob', password: 'usher-demo', description: 'Sees less' },
]

test('with tenant, username and password somebody is in', async () => {
  const { user, pass, pill } = await story({ isSignedIn: false })
  await user.type(screen.getByLabelText('Organisation'), 'acme')
  await user.type(screen.getByLabelText('Username'), 'alice')
  await user.type(screen.getByLabelText('Password'), 'usher-demo{Enter}')
  await pass()

  expect(screen.getByRole('heading', { level: 1 }).textContent).toBe('acmeSign-ups')
  expect(pill()).toBe('Live')
})

test('a wrong password is told of, and not kept', async () => {
  const { user, pass } = await story({ isSignedIn: false })
  await user.type(screen.getByLabelText('Organisation'), 'acme')
  await user.type(screen.getByLabelText('Username'), 'alice')
  await user.type(screen.getByLabelText('Password'), 'guess{Enter}')
  await pass()

  expect(screen.getByRole('alert').textContent).toBe('Organisation, username and password do not go together.')
  expect((screen.getByLabelText('Password') as HTMLInputElement).value).toBe('')
})

test('a password is in nothing that the page remembers', async () => {
  const mount = vi.spyOn(QueryClient.prototype, 'mount')
  const { user, pass } = await story({ isSignedIn: false })
  await user.type(screen.getByLabelText('Organisation'), 'acme')
  await user.type(screen.getByLabelText('Username'), 'alice')
  await user.type(screen.getByLabelText('Password'), 'my-only-guess{Enter}')
  await pass()
  expect(screen.getByRole('alert')).toBeTruthy()

  const [queries] = mount.mock.contexts as QueryClient[]
  const kept = [...queries!.getMutationCache().getAll(), ...queries!.getQueryCache().getAll()].map(({ state }) => state)

  expect(JSON.stringify(kept)).not.toContain('my-only-guess')
})

test('a simulation that fails says so, for a while', async () => {
  const { user, pass, web, text } = await story({ setUp: (web) => (web.people = PEOPLE) })
  web.failing.set('/demo/signups', { status: 429, code: 'throttled', detail: 'too many for now' })

  await user.click(screen.getByRole('button', { name: 'Simulate sign-ups' }))
  await pass()

  expect(screen.getByRole('alert').textContent).toBe('Nobody was simulated. Too many for now.')
  await pass(11_000)
  expect(text()).not.toMatch(/Nobody was simulated/)
})

test('a demo offers its people, and sign-ups', async () => {
  const { user, pass, pill, web } = await story({ isSignedIn: false, setUp: (web) => (web.people = PEOPLE) })
  await user.click(screen.getByRole('button', { name: /alice/ }))
  await pass()
  expect(pill()).toBe('Live')

  await user.click(screen.getByRole('button', { name: 'Simulate sign-ups' }))
  await pass()

  expect(web.calls).toContain('POST /demo/signups')
})

test('elsewhere there is neither', async () => {
  const { session, pass, text } = await story()
  expect(text()).not.toMatch(/Simulate/)

  await act(() => session.signOut())
  await pass()

  expect(text()).not.toMatch(/demo/)
})

test('who signs out leaves nothing on the page', async () => {
  const { server, user, pass, text } = await story()
  server.create({ username: 'dave' })
  await pass()
  expect(text()).toMatch(/dave/)

  await user.click(screen.getByRole('button', { name: 'alice: your menu' }))
  await user.click(screen.getByRole('menuitem', { name: 'Sign out' }))
  await pass()

  expect(text()).toMatch(/You have signed out./)
  expect(text()).not.toMatch(/dave/)
  expect(server.open).toEqual([])
})
