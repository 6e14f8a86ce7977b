/** What a viewer may not see: it is named, in words that everybody gets, and nothing of it is on the page. */
import { screen, within } from '@testing-library/react'
import { FakeServer } from '@usher/client/testing'
import { expect, test } from 'vitest'
import { story } from './story'

const CONTACT = ['email', 'phone']

function masked(): FakeServer {
  const server = new FakeServer({ username: 'bob' })
  server.create({ username: 'dave', email: 'dave@mail.test', redacted: CONTACT })
  return server
}

test('a hidden field is a lock with what it takes, and names the fields for those who hear it', async () => {
  await story({ server: masked() })
  const row = within(screen.getByRole('article'))

  expect(row.getByText('Hidden: needs contact access').getAttribute('aria-hidden')).toBe('true')
  expect(row.getByText('E-mail and Phone: hidden: needs contact access')).toBeTruthy()
  expect(document.body.innerHTML).not.toContain('dave@mail.test')
})

test('a permission that the page does not know is named as the server names it', async () => {
  const server = new FakeServer()
  const { address: _, ...fields } = server.fields
  server.fields = fields
  server.create({ username: 'dave', redacted: ['address'] })
  const { user, pass, text } = await story({ server })
  await user.click(screen.getByRole('button', { name: 'dave' }))
  await pass()

  expect(text()).toMatch(/Hidden: you may not see this/)
})

test('what is visible and empty is not called hidden', async () => {
  const server = new FakeServer()
  server.create({ username: 'dave' })
  const { text } = await story({ server })

  expect(text()).not.toMatch(/Hidden/)
})

test('rights that change mask the rows that are shown, and the details', async () => {
  const server = new FakeServer()
  const event = server.create({ username: 'dave', email: 'dave@mail.test' })
  const { user, pass } = await story({ server })
  await user.click(screen.getByRole('button', { name: 'dave' }))
  await pass()
  expect(screen.getAllByText('dave@mail.test')).toHaveLength(2)

  const { email: _, ...data } = event.data
  server.log.events[0] = { ...event, data, redacted: ['email'] }
  server.permit('watch_signups')
  await pass()

  expect(document.body.innerHTML).not.toContain('dave@mail.test')
  expect(screen.getAllByText('Hidden: needs contact access')).toHaveLength(2)
})

test('details are read from the server, and closed again by Escape', async () => {
  const { user, pass, server } = await story({ server: masked() })
  await user.click(screen.getByRole('button', { name: 'dave' }))
  await pass()
  const panel = screen.getByRole('complementary', { name: 'dave' })
  expect(within(panel).getByText('Signed up')).toBeTruthy()
  expect(server.requests.some(({ path }) => path === `/users/${server.log.events[0]!.data.id}`)).toBe(true)

  await user.keyboard('{Escape}')
  await pass()

  expect(screen.queryByRole('complementary', { name: 'dave' })).toBeNull()
  expect(location.search).toBe('')
})

test('details of somebody who may not be seen any more say so', async () => {
  history.replaceState(null, '', '/?user=01900000-0000-7000-8000-00000000dead')
  const { text } = await story({ server: masked() })

  expect(text()).toMatch(/There is nothing here that you may see any more./)
})
