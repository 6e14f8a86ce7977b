import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { Button, I18nProvider } from 'react-aria-components'
import type { UsherError } from '@usher/client'
import { Failure } from './Failure'
import { PartsProvider, type Parts } from './parts'
import { SignInPage } from './session/SignInPage'
import { useDemo } from './session/useDemo'
import { useSession } from './session/useSession'
import { Shell } from './shell/Shell'
import { sentence, texts } from './texts'
import { useLasting } from './time'

const MOST_RETRIES = 2

const queryClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        retry: (count, error) => count < MOST_RETRIES && (error as UsherError).retryable,
        refetchOnWindowFocus: false,
      },
      mutations: { networkMode: 'always' },
    },
  })

/** The page. */
export function App({ parts }: { readonly parts: Parts }): ReactNode {
  const [queries] = useState(queryClient)
  return (
    <Failure>
      {/* The catalogue is in English, so whatever the library says by itself is too. */}
      <I18nProvider locale="en-GB">
        <PartsProvider value={parts}>
          <QueryClientProvider client={queries}>
            <Whoever />
          </QueryClientProvider>
        </PartsProvider>
      </I18nProvider>
    </Failure>
  )
}

function Whoever(): ReactNode {
  const { session, state } = useSession()
  useDemo() // asked for now already, so that nothing moves when the answer comes
  if (state.status === 'restoring') return <Restoring />
  if (state.status === 'unreachable') return <Unreachable error={state.error} again={() => void session.restore()} />
  if (state.status === 'signed_out') return <SignInPage why={state.why} />
  const { me } = state
  // Another person starts from nothing: nothing of the one before may be left on the page.
  return me.tenant ? <Shell key={me.id} me={me} tenant={me.tenant} /> : <Operator />
}

const RESTORING_MS = 500

function Restoring(): ReactNode {
  const isLong = useLasting(true, RESTORING_MS)
  return <main className="instead quiet">{isLong && <p>{texts.signIn.restoring}</p>}</main>
}

const Unreachable = ({ error, again }: { readonly error: UsherError; readonly again: () => void }): ReactNode => (
  <main className="instead">
    <div role="alert">
      <h1>{texts.unreachable.titles[error.code] ?? texts.unreachable.title}</h1>
      <p>{error.code === 'unreachable' ? texts.unreachable.text : sentence(error.message)}</p>
      {error.requestId && <p className="quiet">{texts.requestId(error.requestId)}</p>}
      <Button className="button" onPress={again}>
        {texts.tryAgain}
      </Button>
    </div>
  </main>
)

function Operator(): ReactNode {
  const { session } = useSession()
  return (
    <main className="instead">
      <h1>{texts.operator.title}</h1>
      <p>{texts.operator.text}</p>
      <p>
        <a href="/admin/">{texts.operator.link}</a>
      </p>
      <Button className="button" onPress={() => void session.signOut()}>
        {texts.menu.signOut}
      </Button>
    </main>
  )
}
