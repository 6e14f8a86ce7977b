import { memo, useState, type ReactNode } from 'react'
import type { User } from '@usher/client'
import { nameOf, plain } from '../plain'
import { texts, viaDid } from '../texts'
import { exactTime, timeAgo } from '../time'
import { Hidden } from './Hidden'

export interface UserRowProps {
  readonly user: User
  readonly now: number
  readonly isInBurst: boolean
  readonly isOpen: boolean
  readonly open: (id: string) => void
}

/** How long somebody counts as just come, and is drawn so that the eye finds it. */
const FRESH_MS = 5_000

/** Somebody who has joined. The name opens the details; for the pointer the whole row does. */
export const UserRow = memo(function UserRow({ user, now, isInBurst, isOpen, open }: UserRowProps): ReactNode {
  const at = Date.parse(user.joined_at)
  const [isFresh] = useState(() => Date.now() - at < FRESH_MS)
  const name = nameOf(user)
  const username = plain(user.username)
  return (
    <article
      className="row"
      data-fresh={isFresh || undefined}
      data-open={isOpen || undefined}
      data-burst={isInBurst || undefined}
    >
      <time className="when" dateTime={user.joined_at} title={exactTime(at)}>
        {timeAgo(at, now)}
      </time>
      <p className="who">
        <button
          type="button"
          className="name"
          data-opens={user.id}
          aria-expanded={isOpen}
          onClick={() => open(user.id)}
        >
          <bdi>{name}</bdi>
        </button>
        {name !== username && <bdi className="username">{username}</bdi>}
      </p>
      <p className="contact">
        <Contact user={user} />
      </p>
      <p className="how">{viaDid(user.joined_via)}</p>
    </article>
  )
})

const CONTACT = ['email', 'phone'] as const

function Contact({ user }: { readonly user: User }): ReactNode {
  const hidden = CONTACT.filter((field) => user.redacted.includes(field))
  if (hidden.length) return <Hidden fields={hidden} />
  const values = CONTACT.map((field) => user[field]).filter((value) => typeof value === 'string' && value !== '')
  return values.map((value) => (
    <bdi key={value} className="value">
      {plain(value!)}
    </bdi>
  ))
}

/** In place of a row while nothing personal may be shown: as high, so that the reader's place is kept. */
export const BlankRow = (): ReactNode => (
  <div className="row blank" aria-hidden="true">
    <span className="when" />
    <span className="who" />
    <span className="contact" />
    <span className="how" />
  </div>
)

/** Many who have joined at once by the same way, in one line. */
export const BurstRow = memo(function BurstRow({
  users,
  now,
  isOpen,
  id,
  toggle,
}: {
  readonly users: readonly User[]
  readonly now: number
  readonly isOpen: boolean
  readonly id: string
  readonly toggle: (key: string) => void
}): ReactNode {
  const first = users[0]!
  const at = Date.parse(first.joined_at)
  return (
    <article className="row burst" data-open={isOpen || undefined}>
      <time className="when" dateTime={first.joined_at} title={exactTime(at)}>
        {timeAgo(at, now)}
      </time>
      <p className="who">
        <button type="button" className="name" data-opens={id} aria-expanded={isOpen} onClick={() => toggle(id)}>
          {texts.list.burst(users.length, first.joined_via)}
        </button>
      </p>
      <p className="contact names" aria-hidden="true">
        {users.slice(0, 3).map((user) => (
          <bdi key={user.id}>{nameOf(user)}</bdi>
        ))}
        {'\u2026'}
      </p>
      <p className="how toggle" aria-hidden="true">
        {isOpen ? texts.list.collapse : texts.list.expand}
      </p>
    </article>
  )
})
