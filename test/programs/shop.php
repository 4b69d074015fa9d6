<?php
function sell(int $count): int { return $count * 2; }
class Basket { function put(string $what): void { if ($what === "stone") throw new DomainException($what); } }

for ($round = 0; $round < 3; $round++) sell($round);
$basket = new Basket();
foreach (["apple", "stone"] as $what) {
  try {
    $basket->put($what);
  } catch (Exception $error) {
    echo get_class($error), "\n";
  }
}
