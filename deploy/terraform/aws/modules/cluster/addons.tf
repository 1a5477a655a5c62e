# What every cluster needs, in the versions that EKS keeps for its Kubernetes. Their images are in AWS's own registry.

module "network_role" {
  source = "../irsa"

  name              = "${var.name}-vpc-cni"
  oidc_provider_arn = aws_iam_openid_connect_provider.this.arn
  oidc_issuer       = aws_eks_cluster.this.identity[0].oidc[0].issuer
  service_accounts  = ["kube-system:aws-node"]
  managed_policies  = { cni = "arn:${var.partition}:iam::aws:policy/AmazonEKS_CNI_Policy" }
}

module "volumes_role" {
  source = "../irsa"

  name              = "${var.name}-ebs-csi"
  oidc_provider_arn = aws_iam_openid_connect_provider.this.arn
  oidc_issuer       = aws_eks_cluster.this.identity[0].oidc[0].issuer
  service_accounts  = ["kube-system:ebs-csi-controller-sa"]
  managed_policies  = { ebs = "arn:${var.partition}:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy" }
}

resource "aws_eks_addon" "before_nodes" {
  for_each = {
    vpc-cni    = { role = module.network_role.arn, policies = true }
    kube-proxy = { role = null, policies = false }
  }

  cluster_name             = aws_eks_cluster.this.name
  addon_name               = each.key
  service_account_role_arn = each.value.role
  # Without it the network policies would be taken and not kept.
  configuration_values        = each.value.policies ? jsonencode({ enableNetworkPolicy = "true" }) : null
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"
}

resource "aws_eks_addon" "after_nodes" {
  for_each = {
    coredns            = null
    aws-ebs-csi-driver = module.volumes_role.arn
  }

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  service_account_role_arn    = each.value
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  depends_on = [aws_eks_node_group.system]
}
