import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import * as z from 'zod';
import { type Listener, listen } from '#localstack/embedded/loopback-listener.ts';

const TARGET = 'AmazonEC2ContainerServiceV20141113.';
const requestSchema = z.object({
  cluster: z.string(),
  services: z.array(z.string()).optional(),
  service: z.string().optional(),
  desiredCount: z.int().min(0).optional(),
});

/** ECS with one service in one cluster, whose tasks run as soon as they are wanted. */
export class EcsStub {
  desiredCount = 0;
  status = 'ACTIVE';

  async listen(cluster: string, service: string): Promise<Listener> {
    const server = createServer(async (request, response) => {
      const operation = String(request.headers['x-amz-target']).replace(TARGET, '');
      const body = requestSchema.parse(await json(request));
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      const refuse = (type: string) => response.writeHead(400).end(JSON.stringify({ __type: type, message: 'no' }));
      if (body.cluster !== cluster) return refuse('ClusterNotFoundException');
      const name = body.service ?? body.services?.[0];
      const isKnown = name === service;
      if (operation === 'DescribeServices') {
        const services = isKnown ? [this.#service(service)] : [];
        const failures = isKnown ? [] : [{ arn: name, reason: 'MISSING' }];
        return response.end(JSON.stringify({ services, failures }));
      }
      if (operation !== 'UpdateService' || body.desiredCount === undefined) return refuse('InvalidParameterException');
      if (!isKnown) return refuse('ServiceNotFoundException');
      this.desiredCount = body.desiredCount;
      return response.end(JSON.stringify({ service: this.#service(service) }));
    });
    return await listen(server);
  }

  #service(serviceName: string): object {
    const { desiredCount, status } = this;
    return { serviceName, status, desiredCount, runningCount: desiredCount, pendingCount: 0 };
  }
}
