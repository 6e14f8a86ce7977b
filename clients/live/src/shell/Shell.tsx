import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState, type ReactNode } from 'react'
import { Button } from 'react-aria-components'
import { createClient } from '@usher/client'
import { UsherProvider, useConnection } from '@usher/client/react'
import { Announcer } from '../announce/Announcer'
import { useParts } from '../parts'
import { useRoute } from '../routes'
import { SignInAgain } from '../session/SignInAgain'
import { useSession } from '../session/useSession'
import type { Me } from '../session/web'
import { texts } from '../texts'
import { Header } from './Header'
import { Help } from './Help'

/** For so long the title goes on counting in a tab that nobody looks at; then the connection is let go until somebody does. */
const UNSEEN_MS = 3_600_000

export interface ShellProps {
  readonly me: Me
  readonly tenant: NonNullable<Me['tenant']>
}

/** What is around every page of somebody who is signed in; it lives as long as that person does here. */
export function Shell({ me, tenant }: ShellProps): ReactNode {
  const { session, origin, client: options } = useParts()
  const [client] = useState(() =>
    createClient({
      url: origin,
      getToken: session.getToken,
      identity: { tenant: tenant.slug, user: me.id },
      pauseWhenHiddenFor: UNSEEN_MS,
      ...options,
    }),
  )
  const queries = useQueryClient()
  useEffect(() => () => queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'demo' }), [queries])
  return (
    <UsherProvider client={client}>
      <Announcer>
        <Inside me={me} tenant={tenant} />
      </Announcer>
    </UsherProvider>
  )
}

function Inside({ me, tenant }: ShellProps): ReactNode {
  const { session } = useSession()
  const connection = useConnection()
  const { Page } = useRoute()
  const [isHelping, setHelping] = useState(false)
  const isForbidden = connection.status === 'forbidden'
  // Somebody else's session is in the cookie now, and the tab that began it could not tell.
  const isSomebodyElse = connection.status === 'closed' && connection.error?.code === 'identity_changed'
  useEffect(() => {
    if (isSomebodyElse) void session.restore()
  }, [isSomebodyElse, session])
  return (
    <>
      <Header me={me} help={() => setHelping(true)} />
      {isForbidden ? <Forbidden /> : <Page me={me} tenant={tenant} help={() => setHelping(true)} />}
      {connection.status === 'expired' && <SignInAgain me={me} tenant={tenant} />}
      <Help isOpen={isHelping} close={() => setHelping(false)} />
    </>
  )
}

/** Everything that was shown is gone from the page and from memory, and nothing is tried again. */
function Forbidden(): ReactNode {
  const { session } = useSession()
  const queries = useQueryClient()
  useEffect(() => queries.removeQueries({ queryKey: ['user'] }), [queries])
  useEffect(() => void (document.title = texts.product), [])
  return (
    <main className="instead">
      <div role="alert">
        <h2>{texts.forbidden.title}</h2>
        <p>{texts.forbidden.text}</p>
        <Button className="button" onPress={() => void session.signOut()}>
          {texts.menu.signOut}
        </Button>
      </div>
    </main>
  )
}
