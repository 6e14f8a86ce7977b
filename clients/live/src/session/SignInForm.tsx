import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Button, Form, Input, Label, Text, TextField } from 'react-aria-components'
import type { UsherError } from '@usher/client'
import { sentence, texts } from '../texts'
import { useSession } from './useSession'
import type { Credentials } from './web'

const { signIn: words } = texts

/** Sign in as somebody; `error` says why the last attempt failed. */
export function useSignIn() {
  const { session } = useSession()
  return useMutation<void, UsherError, Credentials>({ mutationFn: (credentials) => session.signIn(credentials) })
}

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
  const signIn = useSignIn()
  const [tenant, setTenant] = useState(as?.tenant ?? '')
  const [username, setUsername] = useState(as?.username ?? '')
  const [password, setPassword] = useState('')
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (signIn.isPending) return
    signIn.mutate({ tenant: tenant.trim(), username: username.trim(), password })
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
      <SignInError error={signIn.error} />
      <Button type="submit" className="button accent wide">
        {signIn.isPending ? words.submitting : words.submit}
      </Button>
    </Form>
  )
}
