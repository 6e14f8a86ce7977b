import { useEffect, type ReactNode } from 'react'
import { Button } from 'react-aria-components'
import { Mark } from '../icons'
import { texts } from '../texts'
import { useArrival } from '../useArrival'
import type { SessionState } from './session'
import { SignInError, SignInForm, useSignIn } from './SignInForm'
import { useDemo, type DemoPerson } from './useDemo'
import { useSession } from './useSession'

const { signIn: words } = texts

type Why = Extract<SessionState, { status: 'signed_out' }>['why']

const NOTES: Readonly<Record<Why, string>> = {
  nobody: '',
  left: words.left,
  left_elsewhere: words.leftElsewhere,
  not_told: words.notLeft,
}

/** Where somebody who is not signed in begins. */
export function SignInPage({ why }: { readonly why: Why }): ReactNode {
  const { session } = useSession()
  const demo = useDemo()
  const title = useArrival<HTMLHeadingElement>()
  useEffect(() => void (document.title = `${words.title} · ${texts.product}`), [])
  return (
    <main className="sign-in">
      <header>
        <Mark />
        <h1 ref={title} tabIndex={-1}>
          {texts.product}
        </h1>
        <p className="promise">{texts.promise}</p>
      </header>
      <div className="ways">
        <p className="note" role="status">
          {NOTES[why]}
        </p>
        {why === 'not_told' && (
          <Button className="button" onPress={() => void session.signOut()}>
            {texts.tryAgain}
          </Button>
        )}
        {demo && <DemoPeople people={demo} />}
        <section aria-labelledby="sign-in">
          <h2 id="sign-in">{demo ? words.orSignIn : words.title}</h2>
          <SignInForm />
        </section>
      </div>
    </main>
  )
}

function DemoPeople({ people }: { readonly people: readonly DemoPerson[] }): ReactNode {
  const { isPending, error, signIn } = useSignIn()
  return (
    <section aria-labelledby="demo">
      <h2 id="demo">{words.demo}</h2>
      <ul className="people" role="list">
        {people.map(({ description, ...credentials }) => (
          <li key={`${credentials.tenant} ${credentials.username}`}>
            <Button className="person" isDisabled={isPending} onPress={() => void signIn(credentials)}>
              <span className="strong">{credentials.username}</span>
              <span className="of">{credentials.tenant ?? words.platform}</span>
              <span className="quiet">{description}</span>
            </Button>
          </li>
        ))}
      </ul>
      <SignInError error={error} />
      <p className="quiet">{words.demoHint}</p>
    </section>
  )
}
