import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { endpointService } from "../../aws/partition.ts";
import { cutSubnets, type VpcSettings, type ZoneSubnets } from "./network-settings.ts";

/** The network of a cluster's control plane and nodes. */
export interface Network {
  readonly vpcId: pulumi.Input<string>;
  /** Subnets of the nodes. */
  readonly privateSubnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Private subnets for the control plane's network interfaces: in at least two zones, which cannot change later. */
  readonly controlPlaneSubnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Resources that a node needs to reach the internet, and so the Kubernetes API and its images. */
  readonly ready: pulumi.Resource[];
}

/** Zones that EKS rejects. @see https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html#cluster-subnets */
const ZONES_WITHOUT_EKS = ["cac1-az3", "use1-az3", "usw1-az2"];

/** A new VPC for a cluster. */
export interface VpcArgs {
  /** VPC settings, complete with defaults. */
  readonly settings: Omit<VpcSettings, "cidr">;
  /** CIDR block of the VPC. */
  readonly cidr: pulumi.Input<string>;
  /** Region, such as `eu-central-1`. */
  readonly region: string;
  /** Tags of every AWS resource. */
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
}

/**
 * A VPC with a private and a public subnet in each zone. Nodes and pods use the private ones, and reach the internet through NAT.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
 */
export class Vpc extends pulumi.ComponentResource {
  readonly network: Network;
  readonly #name: string;
  readonly #args: VpcArgs;

  constructor(name: string, args: VpcArgs, options: pulumi.ComponentResourceOptions) {
    super("eks-dns-logging:cluster:Vpc", name, {}, options);
    this.#name = name;
    this.#args = args;
    const { settings, cidr } = args;

    const vpc = new aws.ec2.Vpc(
      name,
      { cidrBlock: cidr, enableDnsHostnames: true, enableDnsSupport: true, tags: this.#tags(name) },
      { parent: this },
    );
    // Without rules: a resource without its own security group gets no traffic.
    new aws.ec2.DefaultSecurityGroup(
      `${name}-default`,
      { vpcId: vpc.id, ingress: [], egress: [], tags: this.#tags(`${name}-default`) },
      { parent: this },
    );
    const gateway = new aws.ec2.InternetGateway(
      `${name}-internet`,
      { vpcId: vpc.id, tags: this.#tags(`${name}-internet`) },
      { parent: this },
    );

    const zones = this.#zones();
    const subnets = zones.map((zone, index) => ({
      public: this.#subnet("public", index, zone, vpc.id),
      private: this.#subnet("private", index, zone, vpc.id),
    }));
    const publicTable = this.#routeTable("public", vpc.id, { gatewayId: gateway.id });
    const publicLinks = subnets.map((zone, index) => this.#associate("public", index, zone.public, publicTable.table));
    const nats = subnets
      .slice(0, settings.nat === "single" ? 1 : zones.length)
      .map((zone, index) =>
        this.#nat(index, zone.public, [gateway, publicTable.route, ...publicLinks.slice(index, index + 1)]),
      );
    const privateTables = nats.map((nat, index) =>
      this.#routeTable(`private-${index}`, vpc.id, { natGatewayId: nat.id }),
    );
    const privateLinks = subnets.flatMap((zone, index) => {
      const route = privateTables[index % privateTables.length];
      return route === undefined ? [] : [this.#associate("private", index, zone.private, route.table)];
    });
    this.#endpoints(
      vpc,
      privateTables.map(({ table }) => table.id),
      subnets.map((zone) => zone.private.id),
    );

    this.network = {
      vpcId: vpc.id,
      privateSubnetIds: subnets.map((zone) => zone.private.id),
      // EKS pins a cluster to its initial zones. Two are enough, and allow zones to be added.
      controlPlaneSubnetIds: subnets.slice(0, 2).map((zone) => zone.private.id),
      ready: [...privateTables.map(({ route }) => route), ...privateLinks],
    };
    this.registerOutputs({ vpcId: vpc.id });
  }

  #tags(name: string): Record<string, pulumi.Input<string>> {
    return { ...this.#args.tags, Name: name };
  }

  #zones(): pulumi.Input<string | undefined>[] {
    const { zones } = this.#args.settings;
    if (typeof zones !== "number") return [...zones];
    const available = aws.getAvailabilityZonesOutput(
      {
        state: "available",
        // Local and Wavelength zones require opt-in and cannot host a control plane.
        filters: [{ name: "opt-in-status", values: ["opt-in-not-required"] }],
        excludeZoneIds: [...ZONES_WITHOUT_EKS],
      },
      { parent: this },
    );
    return Array.from({ length: zones }, (_, index) => available.names.apply((names) => zoneAt(names, index)));
  }

  #subnet(
    kind: "public" | "private",
    index: number,
    zone: pulumi.Input<string | undefined>,
    vpcId: pulumi.Input<string>,
  ) {
    const name = `${this.#name}-${kind}-${index}`;
    // The load balancer controller finds subnets by these tags.
    const role = kind === "public" ? "kubernetes.io/role/elb" : "kubernetes.io/role/internal-elb";
    return new aws.ec2.Subnet(
      name,
      {
        vpcId,
        cidrBlock: pulumi.output(this.#args.cidr).apply((cidr) => subnetBlock(cidr, kind, index)),
        availabilityZone: zone,
        mapPublicIpOnLaunch: false,
        tags: { ...this.#tags(name), [role]: "1" },
      },
      // A new zone in the region must not move existing subnets.
      { parent: this, ignoreChanges: typeof this.#args.settings.zones === "number" ? ["availabilityZone"] : [] },
    );
  }

  #routeTable(
    name: string,
    vpcId: pulumi.Input<string>,
    target: { gatewayId?: pulumi.Input<string>; natGatewayId?: pulumi.Input<string> },
  ) {
    const full = `${this.#name}-${name}`;
    const table = new aws.ec2.RouteTable(full, { vpcId, tags: this.#tags(full) }, { parent: this });
    const route = new aws.ec2.Route(
      `${full}-out`,
      { routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0", ...target },
      { parent: this },
    );
    return { table, route };
  }

  #associate(
    kind: string,
    index: number,
    subnet: aws.ec2.Subnet,
    table: aws.ec2.RouteTable,
  ): aws.ec2.RouteTableAssociation {
    return new aws.ec2.RouteTableAssociation(
      `${this.#name}-${kind}-${index}`,
      { subnetId: subnet.id, routeTableId: table.id },
      { parent: this },
    );
  }

  #nat(index: number, subnet: aws.ec2.Subnet, after: pulumi.Resource[]): aws.ec2.NatGateway {
    const name = `${this.#name}-nat-${index}`;
    const address = new aws.ec2.Eip(
      name,
      { domain: "vpc", tags: this.#tags(name) },
      { parent: this, dependsOn: after },
    );
    return new aws.ec2.NatGateway(
      name,
      { subnetId: subnet.id, allocationId: address.id, tags: this.#tags(name) },
      { parent: this, dependsOn: after },
    );
  }

  /** `s3` is a route; the others have addresses in each private subnet, reachable only from the VPC. */
  #endpoints(vpc: aws.ec2.Vpc, routeTableIds: pulumi.Input<string>[], subnetIds: pulumi.Input<string>[]): void {
    const { settings, region } = this.#args;
    const endpoint = (service: string, args: Omit<aws.ec2.VpcEndpointArgs, "vpcId" | "serviceName" | "tags">) => {
      const name = `${this.#name}-${service.replace(".", "-")}`;
      const serviceName = endpointService(region, service);
      new aws.ec2.VpcEndpoint(name, { vpcId: vpc.id, serviceName, tags: this.#tags(name), ...args }, { parent: this });
    };
    const interfaces = settings.endpoints.filter((service) => service !== "s3");
    if (settings.endpoints.includes("s3")) endpoint("s3", { vpcEndpointType: "Gateway", routeTableIds });
    if (interfaces.length === 0) return;
    const group = new aws.ec2.SecurityGroup(
      `${this.#name}-endpoints`,
      {
        vpcId: vpc.id,
        description: "HTTPS from the VPC to AWS services",
        ingress: [{ protocol: "tcp", fromPort: 443, toPort: 443, cidrBlocks: [vpc.cidrBlock] }],
        tags: this.#tags(`${this.#name}-endpoints`),
      },
      { parent: this },
    );
    for (const service of interfaces) {
      endpoint(service, {
        vpcEndpointType: "Interface",
        subnetIds,
        securityGroupIds: [group.id],
        privateDnsEnabled: true,
      });
    }
  }
}

function subnetBlock(cidr: string, kind: keyof ZoneSubnets, index: number): string {
  const block = cutSubnets(cidr, index + 1)[index]?.[kind];
  if (block === undefined) throw new Error(`the VPC is cut for fewer than ${index + 1} zones`);
  return block;
}

/**
 * The zone at an index of a region's zones, sorted by name, because AWS lists them in no order; undefined if nobody lists them, such as the
 * mocks of a test.
 */
export function zoneAt(names: readonly string[] | undefined, index: number): string | undefined {
  if (names === undefined) return undefined;
  const sorted = names.toSorted();
  const zone = sorted[index];
  if (zone !== undefined) return zone;
  throw new pulumi.RunError(
    `cluster.vpc.zones: must be at most ${names.length}, since the region only has ${sorted.join(", ")}`,
  );
}
