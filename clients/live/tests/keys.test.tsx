import { screen } from '@testing-library/react'
import { FakeServer } from '@usher/client/testing'
import { expect, test } from 'vitest'
import { story } from './story'

function people(): FakeServer {
  const server = new FakeServer()
  for (const username of ['dave', 'erin', 'frank']) server.create({ username })
  return server
}

test('j and k go through the rows, Enter opens, Escape closes and comes back to the row', async () => {
  const { user, pass } = await story({ server: people() })
  await user.keyboard('jjk')
  await pass()
  expect(document.activeElement?.textContent).toBe('frank')

  await user.keyboard('j{Enter}')
  await pass()
  expect(screen.getByRole('complementary', { name: 'erin' })).toBeTruthy()
  await user.keyboard('{Escape}')
  await new Promise(requestAnimationFrame)
  await pass()

  expect(screen.queryByRole('complementary', { name: 'erin' })).toBeNull()
  expect(document.activeElement?.textContent).toBe('erin')
})

test('the slash searches, and what is typed there is text', async () => {
  const { user, pass } = await story({ server: people() })
  await user.keyboard('/jk?')
  await pass()

  expect((screen.getByRole('searchbox') as HTMLInputElement).value).toBe('jk?')
  expect(screen.queryByRole('dialog')).toBeNull()
})

test('the question mark lists the keys, and they can be turned off', async () => {
  const { user, pass } = await story({ server: people() })
  await user.keyboard('?')
  await pass()
  await user.click(screen.getByRole('switch', { name: 'Single keys do this' }))
  await user.keyboard('{Escape}')
  await pass()
  expect(screen.queryByRole('dialog')).toBeNull()

  await user.keyboard('?j/')
  await pass()

  expect(screen.queryByRole('dialog')).toBeNull()
  expect(document.activeElement).not.toBe(screen.getByRole('searchbox'))
  expect(document.activeElement?.hasAttribute('data-opens')).toBe(false)
})
