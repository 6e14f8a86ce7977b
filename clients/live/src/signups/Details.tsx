import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'
import type { User, UsherError } from '@usher/client'
import { useClient } from '@usher/client/react'
import { Cross } from '../icons'
import { isVisible, nameOf, plain } from '../plain'
import { fieldName, sentence, texts, viaDid } from '../texts'
import { exactTime } from '../time'
import { Hidden } from './Hidden'

const { details: words } = texts

const FIELDS = ['username', 'full_name', 'joined_at', 'joined_via', 'email', 'phone', 'address', 'agent'] as const
/** Which the list does not have for everybody. */
const MANAGED = ['is_active', 'role'] as const

/** The details of somebody: at once as far as the list knows them, and as the server has them now. */
export function useUser(id: string, known: User | undefined) {
  const client = useClient()
  return useQuery<User, UsherError>({
    queryKey: ['user', id],
    queryFn: ({ signal }) => client.request(`/users/${encodeURIComponent(id)}`, { signal }) as Promise<User>,
    ...(known && { placeholderData: known }),
  })
}

export interface DetailsProps {
  readonly id: string
  readonly known: User | undefined
  readonly close: () => void
  /** The id of the heading. */
  readonly titleId: string
}

export function Details({ id, known, close, titleId }: DetailsProps): ReactNode {
  const { data: user, error, refetch } = useUser(id, known)
  return (
    <div className="details">
      <header>
        <h2 id={titleId} tabIndex={-1}>
          {user && !error ? <bdi>{nameOf(user)}</bdi> : words.title}
        </h2>
        <Button className="button icon-only" onPress={close} aria-label={words.close}>
          <Cross />
        </Button>
      </header>
      {error ? (
        <Failed error={error} again={() => void refetch()} />
      ) : user ? (
        <Fields user={user} />
      ) : (
        <p className="quiet">{words.loading}</p>
      )}
    </div>
  )
}

function Failed({ error, again }: { readonly error: UsherError; readonly again: () => void }): ReactNode {
  if (error.status === 404) return <p>{words.gone}</p>
  return (
    <>
      <p>
        {words.failed} {sentence(error.message)}
      </p>
      {error.requestId && <p className="quiet">{texts.requestId(error.requestId)}</p>}
      <Button className="button" onPress={again}>
        {texts.tryAgain}
      </Button>
    </>
  )
}

const Fields = ({ user }: { readonly user: User }): ReactNode => (
  <dl className="fields">
    {[...FIELDS, ...MANAGED.filter((field) => field in user), 'id' as const].map((field) => (
      <div key={field}>
        <dt>{fieldName(field)}</dt>
        <dd>{user.redacted.includes(field) ? <Hidden fields={[field]} /> : <Value user={user} field={field} />}</dd>
      </div>
    ))}
  </dl>
)

type FieldName = (typeof FIELDS)[number] | (typeof MANAGED)[number] | 'id'

function Value({ user, field }: { readonly user: User; readonly field: FieldName }): ReactNode {
  const value = user[field]
  if (field === 'joined_at') return <time dateTime={user.joined_at}>{exactTime(Date.parse(user.joined_at))}</time>
  if (field === 'joined_via') return viaDid(user.joined_via)
  if (field === 'is_active') return words.active[user.is_active === false ? 'false' : 'true']
  if (field === 'role' && value === null) return <span className="quiet">{words.member}</span>
  if (!isVisible(String(value ?? ''))) return <span className="quiet">{words.empty}</span>
  return <bdi className={field === 'id' || field === 'address' ? 'code' : undefined}>{plain(String(value))}</bdi>
}
