"""What is to be found in logs: Sigma rules as data files, and the compiler that makes conditions in SQL of them."""
