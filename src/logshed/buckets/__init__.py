"""Object stores: what their addresses mean, and one way to list, read and write on every one of them."""

from logshed.buckets.address import Address
from logshed.buckets.door import Access, opened, use
from logshed.buckets.model import Bucket, Found

__all__ = ["Access", "Address", "Bucket", "Found", "opened", "use"]
