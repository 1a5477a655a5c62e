locals {
  # A volume stays in its zone, so each zone has on-demand nodes of its own.
  system_min = length(var.node_subnets) > 1 ? 1 : 2
}

data "aws_iam_policy_document" "node_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "node" {
  name               = "${var.name}-node"
  assume_role_policy = data.aws_iam_policy_document.node_assume.json
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset(["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"])

  role       = aws_iam_role.node.name
  policy_arn = "arn:${var.partition}:iam::aws:policy/${each.key}"
}

# With one hop the metadata service answers the node and no pod: pods have roles of their own.
resource "aws_launch_template" "node" {
  name_prefix            = "${var.name}-"
  update_default_version = true

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size           = 50
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = { Name = var.name }
  }
}

resource "aws_eks_node_group" "system" {
  for_each = var.node_subnets

  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "system-${each.key}"
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = [each.value]
  capacity_type   = "ON_DEMAND"
  instance_types  = [var.system_instance_type]
  labels          = { workload = "system" }

  scaling_config {
    min_size     = local.system_min
    desired_size = local.system_min
    max_size     = var.system_max
  }

  update_config {
    max_unavailable = 1
  }

  launch_template {
    id      = aws_launch_template.node.id
    version = aws_launch_template.node.latest_version
  }

  lifecycle {
    ignore_changes = [scaling_config[0].desired_size] # the autoscaler's
  }

  depends_on = [aws_iam_role_policy_attachment.node, aws_eks_addon.before_nodes]
}

resource "aws_eks_node_group" "executors" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "executors"
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = values(var.node_subnets)
  capacity_type   = "SPOT"
  instance_types  = [var.executor_instance_type]
  labels          = { workload = "executors" }

  taint {
    key    = "workload"
    value  = "executors"
    effect = "NO_SCHEDULE"
  }

  scaling_config {
    min_size     = 0
    desired_size = 0
    max_size     = var.executor_max
  }

  update_config {
    max_unavailable = 1
  }

  launch_template {
    id      = aws_launch_template.node.id
    version = aws_launch_template.node.latest_version
  }

  lifecycle {
    ignore_changes = [scaling_config[0].desired_size] # the autoscaler's
  }

  depends_on = [aws_iam_role_policy_attachment.node, aws_eks_addon.before_nodes]
}
