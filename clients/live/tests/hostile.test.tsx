/** People choose their names; some choose them to do harm. */
import { FakeServer } from '@usher/client/testing'
import { expect, test } from 'vitest'
import { nameOf, plain } from '../src/plain'
import { story } from './story'

const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '<script>alert(1)</script>',
  '"><svg/onload=alert(1)>',
  'javascript:alert(1)',
  '{{7*7}} ${7*7} <%= 7*7 %>',
  "Robert'); DROP TABLE users;--",
  '\u202egnp.evil',
  'a\u0000b\u0007c\u001b[31m',
  `Z${'\u0335\u0321\u0300'.repeat(60)}`,
  'x'.repeat(5_000),
  '&lt;b&gt;&amp;',
]

test('their names are text, and nothing else', async () => {
  const server = new FakeServer()
  for (const [place, full_name] of HOSTILE.entries()) {
    server.create({ full_name, username: `mallory-${place}`, email: full_name, joined_via: `way-${place}` })
  }
  const { names } = await story({ server })

  expect(names()).toEqual([...HOSTILE].reverse().map(plain))
  expect(document.querySelectorAll('.list img, .list script, .list a, .list [onerror], .list [onload]')).toHaveLength(0)
  expect(document.title).toBe('Sign-ups · acme · Usher')
})

test('what turns the direction of text, or controls anything, is shown as something that is wrong', () => {
  expect(plain('\u202egnp.evil\u2069\u0000')).toBe('\ufffdgnp.evil\ufffd\ufffd')
})

test('a name of which nothing can be seen is replaced by the username', () => {
  for (const full_name of ['', ' ', '\u200b\u200b', '\u3164', '\u2800', '\u00ad', null]) {
    expect(nameOf({ full_name, username: 'dave' })).toBe('dave')
  }
  expect(nameOf({ full_name: '𝟚', username: 'dave' })).toBe('𝟚')
  expect(nameOf({ full_name: '👩‍👩‍👧', username: 'dave' })).toBe('👩‍👩‍👧')
})
