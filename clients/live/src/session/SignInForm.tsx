import { useState, type FormEvent, type ReactNode } from 'react'
import { Button, Form, Input, Label, Text, TextField } from 'react-aria-components'
import type { UsherError } from '@usher/client'
import { sentence, texts } from '../texts'
import { useSession } from './useSession'
import type { Credentials } from './web'

const { signIn: words } = texts

export interface SigningIn {
  readonly isPending: boolean
  /** Why the last attempt failed. */
  readonly error: UsherError | null
  readonly signIn: (credentials: Credentials) => Promise<void>
}

/** Sign in as somebody. No mutation of the library's, which would keep the password with its result. */
export function useSignIn(): SigningIn {
  const { session } = useSession()
  const [{ isPending, error }, set] = useState<Pick<SigningIn, 'isPending' | 'error'>>(IDLE)
  const signIn = async (credentials: Credentials): Promise<void> => {
    set({ isPending: true, error: null })
    try {
      await session.signIn(credentials)
      set(IDLE)
    } catch (error) {
      set({ isPending: false, error: error as UsherError })
    }
  }
  return { isPending, error, signIn }
}

const IDLE = { isPending: false, error: null }

/** Why nobody could be signed in, in words. */
export function SignInError({ error }: { readonly error: UsherError | null }): ReactNode {
  if (!error) return null
  const seconds = Math.ceil(error.retryAfterMs / 1000)
  const isWrong = error.code === 'bad_credentials'
  return (
    <div className="form-error" role="alert">
      <p>
        {isWrong ? words.wrong : error.code === 'unreachable' ? words.unreachable : sentence(error.message)}
        {seconds > 0 && ` ${words.waitFor(seconds)}`}
      </p>
      {error.requestId && !isWrong && <p className="quiet">{texts.requestId(error.requestId)}</p>}
    </div>
  )
}

/** Tenant, username, password. With `as` only the password is asked for. */
export function SignInForm({
  as,
}: {
  readonly as?: { readonly tenant: string; readonly username: string }
}): ReactNode {
  const { isPending, error, signIn } = useSignIn()
  const [tenant, setTenant] = useState(as?.tenant ?? '')
  const [username, setUsername] = useState(as?.username ?? '')
  const [password, setPassword] = useState('')
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (isPending) return
    void signIn({ tenant: tenant.trim(), username: username.trim(), password })
    setPassword('')
  }
  return (
    <Form className="form" onSubmit={submit}>
      {!as && (
        <TextField isRequired value={tenant} onChange={setTenant} name="tenant" autoComplete="organization">
          <Label>{words.tenant}</Label>
          <Input spellCheck="false" autoCapitalize="none" />
          <Text slot="description">{words.tenantHint}</Text>
        </TextField>
      )}
      <TextField
        isRequired
        isReadOnly={Boolean(as)}
        value={username}
        onChange={setUsername}
        name="username"
        autoComplete="username"
      >
        <Label>{words.username}</Label>
        <Input spellCheck="false" autoCapitalize="none" />
      </TextField>
      <TextField
        isRequired
        value={password}
        onChange={setPassword}
        name="password"
        type="password"
        autoComplete="current-password"
        autoFocus={Boolean(as)}
      >
        <Label>{words.password}</Label>
        <Input />
      </TextField>
      <SignInError error={error} />
      <Button type="submit" className="button accent wide">
        {isPending ? words.submitting : words.submit}
      </Button>
    </Form>
  )
}
