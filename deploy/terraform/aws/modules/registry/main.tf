# Repositories of the project's own images, and of copies of others' so that nodes need no Internet.

variable "name" {
  description = "Begins every name."
  type        = string
}

variable "own" {
  description = "Images that the project builds."
  type        = set(string)
}

variable "mirrored" {
  description = "Images of others, by the repository that gets their copy: name and tag."
  type        = map(object({ image = string, tag = string }))
}

variable "force_delete" {
  description = "Let repositories be destroyed with what is in them."
  type        = bool
}

resource "aws_ecr_repository" "this" {
  #checkov:skip=CKV_AWS_136:AES-256 by the registry's own key is asked for; layers hold no secret
  for_each = setunion(var.own, keys(var.mirrored))

  name                 = "${var.name}/${each.key}"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.force_delete

  encryption_configuration {
    encryption_type = "AES256"
  }

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Untagged layers go after a week"
      selection = {
        tagStatus   = "untagged"
        countType   = "sinceImagePushed"
        countUnit   = "days"
        countNumber = 7
      }
      action = { type = "expire" }
      }, {
      rulePriority = 2
      description  = "Thirty images stay"
      selection = {
        tagStatus   = "any"
        countType   = "imageCountMoreThan"
        countNumber = 30
      }
      action = { type = "expire" }
    }]
  })
}

output "urls" {
  description = "Address of each repository."
  value       = { for key, repository in aws_ecr_repository.this : key => repository.repository_url }
}

output "mirrored" {
  description = "What is copied from where to where."
  value = { for key, source in var.mirrored : key => {
    from = "${source.image}:${source.tag}"
    to   = "${aws_ecr_repository.this[key].repository_url}:${source.tag}"
  } }
}
