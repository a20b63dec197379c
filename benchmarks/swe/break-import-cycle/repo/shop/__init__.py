"""Orders, customers and invoices."""

from .billing import CreditError, Invoice
from .customers import Customer
from .orders import Line, Order, OrderBook

__all__ = ["CreditError", "Customer", "Invoice", "Line", "Order", "OrderBook"]
