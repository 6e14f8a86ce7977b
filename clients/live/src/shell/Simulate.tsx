import { useMutation } from '@tanstack/react-query'
import { useEffect, type ReactNode } from 'react'
import { Button } from 'react-aria-components'
import type { UsherError } from '@usher/client'
import { useClient, useConnection } from '@usher/client/react'
import { useParts } from '../parts'
import { useDemo } from '../session/useDemo'
import { sentence, texts } from '../texts'

const COUNT = 8
const SHOWN_MS = 10_000

/** In a demo: have some people sign up. */
export function Simulate(): ReactNode {
  const client = useClient()
  const demo = useDemo()
  const { status } = useConnection()
  const simulate = useMutation<unknown, UsherError>({
    mutationFn: () => client.request('/demo/signups', { method: 'POST', body: { count: COUNT } }),
  })
  const { clock } = useParts()
  const { error, reset } = simulate
  useEffect(() => {
    if (!error) return undefined
    const timer = clock.setTimeout(reset, SHOWN_MS)
    return () => clock.clearTimeout(timer)
  }, [error, reset, clock])
  if (!demo || status === 'forbidden' || status === 'expired') return null
  return (
    <div className="simulate">
      <Button className="button plain" isDisabled={simulate.isPending} onPress={() => simulate.mutate()}>
        {simulate.isPending ? texts.menu.simulating : texts.menu.simulate}
      </Button>
      {error && (
        <p className="failure" role="alert">
          {texts.menu.simulateFailed(sentence(error.message))}
        </p>
      )}
    </div>
  )
}
