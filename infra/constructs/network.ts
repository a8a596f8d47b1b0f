import { RemovalPolicy } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  type ISecurityGroup,
  Peer,
  Port,
  SecurityGroup,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Installation } from '../installation.ts';
import { acknowledge } from './acknowledge.ts';
import { retention } from './platform-function.ts';

/** What hosts call besides DynamoDB and S3. */
const SERVICES = {
  Sqs: InterfaceVpcEndpointAwsService.SQS,
  Events: InterfaceVpcEndpointAwsService.EVENTBRIDGE,
  Kms: InterfaceVpcEndpointAwsService.KMS,
  Logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  Ecr: InterfaceVpcEndpointAwsService.ECR,
  EcrDocker: InterfaceVpcEndpointAwsService.ECR_DOCKER,
  Secrets: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
} as const;

/** Where hosts run: two zones, nothing comes in, DynamoDB and S3 without a detour. */
export class Network extends Construct {
  readonly vpc: Vpc;
  readonly subnets: SubnetSelection;
  /** Whether a host needs an address of its own to get out. */
  readonly publicAddresses: boolean;

  constructor(scope: Construct, id: string, { settings }: Installation) {
    super(scope, id);
    const isPrivate = settings.network === 'private';
    this.publicAddresses = !isPrivate;
    const subnetType = isPrivate ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PUBLIC;
    this.subnets = { subnetType };
    this.vpc = new Vpc(this, 'Vpc', {
      maxAzs: 2,
      natGateways: isPrivate ? settings.natGateways : 0,
      subnetConfiguration: [
        { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 20, mapPublicIpOnLaunch: false },
        ...(isPrivate ? [{ name: 'hosts', subnetType, cidrMask: 20 }] : []),
      ],
      gatewayEndpoints: {
        DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
        S3: { service: GatewayVpcEndpointAwsService.S3 },
      },
      flowLogs: {
        Rejected: {
          trafficType: FlowLogTrafficType.REJECT,
          destination: FlowLogDestination.toCloudWatchLogs(
            new LogGroup(this, 'FlowLog', {
              logGroupName: `/trunkline/${settings.stage}/network`,
              retention: retention(settings.logDays),
              removalPolicy: RemovalPolicy.DESTROY,
            }),
          ),
        },
      },
    });
    if (isPrivate && settings.interfaceEndpoints) this.#interfaceEndpoints();
  }

  /** Lets what is in it out to the ports of the web, and nobody in. */
  closedGroup(id: string, description: string): ISecurityGroup {
    const group = new SecurityGroup(this, id, { vpc: this.vpc, description, allowAllOutbound: false });
    group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS, WhatsApp and media by URL, over TLS');
    group.addEgressRule(Peer.anyIpv4(), Port.tcp(80), 'Media by URL, where it is not over TLS');
    return group;
  }

  #interfaceEndpoints(): void {
    const group = new SecurityGroup(this, 'EndpointGroup', {
      vpc: this.vpc,
      description: 'Endpoints of AWS services, for this network only',
      allowAllOutbound: false,
    });
    group.addIngressRule(Peer.ipv4(this.vpc.vpcCidrBlock), Port.tcp(443), 'From hosts');
    acknowledge(group, {
      EC23: 'The source is the network itself, whose range cdk-nag cannot read before it exists.',
    });
    for (const [name, service] of Object.entries(SERVICES))
      this.vpc.addInterfaceEndpoint(name, { service, securityGroups: [group], open: false });
  }
}
