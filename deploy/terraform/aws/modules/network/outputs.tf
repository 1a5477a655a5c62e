output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "Private subnets of all zones."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]
}

output "node_subnet_ids" {
  description = "Private subnets where nodes stand: of one zone, or of all."
  value       = [for zone in local.served : aws_subnet.private[zone].id]
}

output "served_zones" {
  description = "Zones where nodes, gateways and endpoints stand."
  value       = local.served
}

output "endpoint_ids" {
  description = "Endpoints by service."
  value = merge(
    { for service, endpoint in aws_vpc_endpoint.interface : service => endpoint.id },
    { for endpoint in aws_vpc_endpoint.s3 : "s3" => endpoint.id },
  )
}

output "nat_public_ips" {
  description = "Addresses that the Internet sees, if there are gateways."
  value       = [for address in aws_eip.nat : address.public_ip]
}
