import { useMutation } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'
import { useClient, useConnection } from '@usher/client/react'
import { useDemo } from '../session/useDemo'
import { texts } from '../texts'

const COUNT = 8

/** In a demo: have some people sign up. */
export function Simulate(): ReactNode {
  const client = useClient()
  const demo = useDemo()
  const { status } = useConnection()
  const simulate = useMutation({
    mutationFn: () => client.request('/demo/signups', { method: 'POST', body: { count: COUNT } }),
  })
  if (!demo || status === 'forbidden' || status === 'expired') return null
  return (
    <Button className="button plain simulate" isDisabled={simulate.isPending} onPress={() => simulate.mutate()}>
      {simulate.isPending ? texts.menu.simulating : texts.menu.simulate}
    </Button>
  )
}
